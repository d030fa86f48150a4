//go:build unix

package kubeconfig

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// keepOwner matters to who runs kubectl by sudo. A group that only root can give goes, and the group's rights with it, since
// the new group is another: "sudo chown" without a group leaves such files.
func keepOwner(file *os.File, old fs.FileInfo) error {
	if old == nil {
		return nil
	}
	owner, ok := old.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	info, err := file.Stat()
	if err != nil {
		return err
	}
	mine, ok := info.Sys().(*syscall.Stat_t)
	if ok && mine.Uid == owner.Uid && mine.Gid == owner.Gid {
		return nil
	}
	err = file.Chown(int(owner.Uid), int(owner.Gid))
	if ok && mine.Uid == owner.Uid && errors.Is(err, fs.ErrPermission) {
		err = file.Chmod(info.Mode().Perm() &^ 0o070)
	}
	if err != nil {
		return fmt.Errorf("its owner cannot be kept, so nothing was changed: %w", err)
	}
	return nil
}
