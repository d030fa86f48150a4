package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// Cleaned says what Clean removed, and what it did not.
type Cleaned struct {
	Sessions map[Place]int
	IDTokens map[Place]int
	Others   int      // files: documents of providers, locks, notes, and what killed processes left
	Foreign  []string // what is in our folders but is not ours, by path; it stays
	// Silent are why places could not be asked. What they may hold stays, but no session that is known to be there is used.
	Silent []error
}

// A save takes milliseconds. A younger temporary file may be one, and taking it away would cost somebody their session.
const beingWritten = time.Minute

// Clean removes what the mode's places hold of each identity that has left a record, a lock or a note. A keychain is not
// searched: a person may keep other items under this program's name there. In Auto, documents, locks and notes go too.
func (s *Store) Clean(ctx context.Context) (Cleaned, error) {
	c := &cleaner{store: s, directory: s.config.Directory, cleaned: Cleaned{Sessions: map[Place]int{}, IDTokens: map[Place]int{}}}
	if target, err := filepath.EvalSymlinks(c.directory); err == nil {
		c.directory = target // the folder itself may be a link, as it may be for a save; nothing in it may
	}
	places := s.places
	if s.config.Mode == None {
		places = nil // what this process alone has is gone with it
	}
	for _, place := range places {
		if err := c.removeRecords(ctx, place); err != nil {
			return c.cleaned, err
		}
	}
	if s.config.Mode == Auto {
		c.removeOthers()
		c.findForeign()
		c.removeEmptyFolders()
	}
	return c.cleaned, nil
}

// cleaner is one Clean.
type cleaner struct {
	store     *Store
	directory string // the store's, without links
	cleaned   Cleaned
}

// removeRecords empties one place.
func (c *cleaner) removeRecords(ctx context.Context, place vault) error {
	for _, id := range c.identities() {
		unlock, err := c.lock(ctx, id)
		if err != nil {
			return err
		}
		silent, err := c.store.judge(ctx, place, id+sessionEnd, c.removeIdentity(ctx, place, id))
		unlock()
		if err != nil {
			return err
		}
		if silent != nil {
			c.cleaned.Silent = append(c.cleaned.Silent, silent)
			return c.spendAll(place) // it will not answer the next question either
		}
	}
	if _, isDisk := place.(*disk); isDisk {
		c.removeTemporaries(c.directory)
	}
	return nil
}

// spendAll is for a keychain that fails: what it may have is not used any more when it is back.
func (c *cleaner) spendAll(place vault) error {
	var failures []error
	for _, id := range c.identities() {
		failures = append(failures, place.(*noted).notes.spend(id+sessionEnd))
	}
	return errors.Join(failures...)
}

// lock waits for whoever is renewing the session, who would save it again.
func (c *cleaner) lock(ctx context.Context, id string) (unlock func(), err error) {
	unlock, err = c.store.lock(ctx, id, token.Refresh)
	if errors.Is(err, token.ErrNoLock) {
		return func() {}, nil // who renews without a lock has a refresh token that works again, and may save it once more
	}
	return unlock, err
}

func (c *cleaner) removeIdentity(ctx context.Context, place vault, id string) error {
	if err := removeRecord(ctx, place, id+sessionEnd, c.cleaned.Sessions); err != nil {
		return err
	}
	return removeRecord(ctx, place, id+idTokenEnd, c.cleaned.IDTokens)
}

func removeRecord(ctx context.Context, place vault, name string, removed map[Place]int) error {
	readErr, err := removeOwn(ctx, place, name)
	if err == nil && !errors.Is(readErr, token.ErrNotFound) && !errors.Is(readErr, errNotOurs) {
		removed[place.place(ctx, name)]++
	}
	return err
}

func (c *cleaner) documents() string { return filepath.Join(c.directory, documentsFolder) }

func (c *cleaner) lockFolders() []string {
	var paths []string
	for _, folder := range c.store.folders {
		paths = append(paths, folder.path)
	}
	return paths
}

// Our files are known by their names after the ID of a key or of a document and a dot.

func isRecord(ending string) bool   { return ending == "session.json" || ending == "id-token.json" }
func isDocument(ending string) bool { return ending == "json" }
func isLock(ending string) bool     { return ending == "refresh.lock" || ending == "login.lock" }

func isNote(ending string) bool {
	others := []string{"refresh.lock.holder", "login.lock.holder", "attempt", "refused", "unreachable", "answers"}
	return slices.Contains(others, ending) || isKeychainNote(ending)
}

// isOurNote leaves out what other machines that share the folder know of their keychains, since it is still true there.
func (c *cleaner) isOurNote(ending string) bool {
	return isNote(ending) && (!isKeychainNote(ending) || c.store.machine.isOf(ending))
}

func isLockOrNote(ending string) bool { return isLock(ending) || isNote(ending) }

// identities are the IDs of all keys that have left a trace.
func (c *cleaner) identities() []string {
	names := ownFiles(c.directory, isRecord)
	for _, folder := range c.lockFolders() {
		names = append(names, ownFiles(folder, isLockOrNote)...)
	}
	for i, name := range names {
		names[i], _, _ = strings.Cut(name, ".")
	}
	return slices.Compact(slices.Sorted(slices.Values(names)))
}

// ownFiles are the names of those files in a folder that have such an ending and that this program can have written.
func ownFiles(folder string, isOurs func(ending string) bool) []string {
	var names []string
	for _, entry := range ownEntries(folder) {
		id, ending, _ := strings.Cut(entry.Name(), ".")
		if isID(id) && isOurs(ending) && isOwnFile(entry) {
			names = append(names, entry.Name())
		}
	}
	return names
}

// ownEntries is what a folder holds, unless that is a link or somebody else's.
func ownEntries(folder string) []fs.DirEntry {
	info, err := os.Lstat(folder)
	if err != nil || !info.IsDir() || !belongsToUs(info) {
		return nil
	}
	entries, _ := os.ReadDir(folder)
	return entries
}

func isOwnFile(entry fs.DirEntry) bool {
	info, err := entry.Info() // of a link itself
	return err == nil && info.Mode().IsRegular() && belongsToUs(info)
}

// isID recognises a SHA-256 in hex.
func isID(text string) bool { return len(text) == 64 && strings.Trim(text, "0123456789abcdef") == "" }

// removeTemporaries removes what killed processes left, since it may hold a token.
func (c *cleaner) removeTemporaries(folder string) {
	for _, name := range temporariesOlderThan(beingWritten, ownEntries(folder)) {
		c.removeOther(filepath.Join(folder, name))
	}
}

// removeOthers keeps the names by which a place that was silent today can be cleaned another day.
func (c *cleaner) removeOthers() {
	for _, name := range ownFiles(c.documents(), isDocument) {
		c.removeOther(filepath.Join(c.documents(), name))
	}
	c.removeTemporaries(c.documents())
	if len(c.cleaned.Silent) > 0 {
		return
	}
	for _, folder := range c.lockFolders() {
		for _, name := range ownFiles(folder, c.isOurNote) {
			c.removeOther(filepath.Join(folder, name))
		}
		for _, name := range ownFiles(folder, isLock) {
			c.removeLock(filepath.Join(folder, name))
		}
	}
}

func (c *cleaner) removeOther(path string) {
	if os.Remove(path) == nil {
		c.cleaned.Others++
	}
}

// removeLock leaves a lock that somebody holds: with a new file in its place, two could hold it at once.
func (c *cleaner) removeLock(path string) {
	lock := flock.New(path)
	defer func() { _ = lock.Close() }()
	if held, err := lock.TryLock(); err != nil || !held {
		return
	}
	if os.Remove(path) != nil {
		_ = lock.Close() // Windows removes no open file
		_ = os.Remove(path)
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		c.cleaned.Others++
	}
}

// findForeign looks for what others put into our folders.
func (c *cleaner) findForeign() {
	ours := map[string]func(ending string) bool{c.directory: isRecord, c.documents(): isDocument}
	for _, folder := range c.lockFolders() {
		ours[folder] = isLockOrNote
	}
	for folder, isOurs := range ours {
		own := ownFiles(folder, isOurs)
		for _, entry := range ownEntries(folder) {
			path := filepath.Join(folder, entry.Name())
			_, isFolder := ours[path]
			isTemporary := strings.HasPrefix(entry.Name(), temporaryPrefix) && isOwnFile(entry)
			if !slices.Contains(own, entry.Name()) && !isTemporary && !(isFolder && entry.IsDir()) {
				c.cleaned.Foreign = append(c.cleaned.Foreign, path)
			}
		}
	}
	slices.Sort(c.cleaned.Foreign)
}

// removeEmptyFolders removes no link, and the system lets nobody remove a folder with something in it.
func (c *cleaner) removeEmptyFolders() {
	folders := append(c.lockFolders(), c.documents(), c.store.config.Directory)
	if c.store.config.Locks != "" {
		folders = append(folders, filepath.Dir(c.store.config.Locks))
	}
	for _, folder := range folders {
		if info, err := os.Lstat(folder); err == nil && info.IsDir() && belongsToUs(info) {
			_ = os.Remove(folder)
		}
	}
}
