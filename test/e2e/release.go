package e2e

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"debug/buildinfo"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// dist is where `make snapshot krew` has put a release.
const dist = "../../dist"

// Packed is a file of an archive or of a package.
type Packed struct {
	Content []byte
	Mode    fs.FileMode
	Owner   string // user and group, where the format has them
}

// Artifact is a file that goreleaser has built.
type Artifact struct {
	Name   string `json:"name"`
	Path   string `json:"path"` // from the top of the repository
	GoOS   string `json:"goos"`
	GoArch string `json:"goarch"`
	GoARM  string `json:"goarm"`
	Type   string `json:"type"`
}

// ReleaseArtifacts are those of the types, by goreleaser's own list.
func ReleaseArtifacts(tb testing.TB, types ...string) []Artifact {
	tb.Helper()
	var all, found []Artifact
	readJSON(tb, filepath.Join(dist, "artifacts.json"), &all)
	for _, artifact := range all {
		for _, wanted := range types {
			if artifact.Type == wanted {
				found = append(found, artifact)
			}
		}
	}
	if len(found) == 0 {
		tb.Fatalf("dist has no %q", types)
	}
	return found
}

// ReleaseVersion is the version in dist, without a v.
func ReleaseVersion(tb testing.TB) string {
	tb.Helper()
	var metadata struct {
		Version string `json:"version"`
	}
	readJSON(tb, filepath.Join(dist, "metadata.json"), &metadata)
	return metadata.Version
}

// ReleaseChecksums are the SHA-256 of checksums.txt, in hex, by the names of files.
func ReleaseChecksums(tb testing.TB) map[string]string {
	tb.Helper()
	checksums := map[string]string{}
	for line := range strings.Lines(readFile(tb, filepath.Join(dist, "checksums.txt"))) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		checksums[name] = sum
	}
	return checksums
}

// Open reads what is in an archive or in a package.
func (a Artifact) Open(tb testing.TB) map[string]Packed {
	tb.Helper()
	content := []byte(readFile(tb, filepath.Join(dist, a.Name)))
	var files map[string]Packed
	var err error
	switch path.Ext(a.Name) {
	case ".zip":
		files, err = readZip(content)
	case ".deb":
		files, err = readDeb(content)
	case ".rpm":
		files, err = readRPM(content)
	default: // .tar.gz; and .apk, which is several of them
		files, err = readTarball(bytes.NewReader(content))
	}
	if err != nil {
		tb.Fatalf("%s: %v", a.Name, err)
	}
	return files
}

// Program is what the go command wrote into the program of an archive or of a package.
func (a Artifact) Program(tb testing.TB, files map[string]Packed) *buildinfo.BuildInfo {
	tb.Helper()
	for name, file := range files {
		if base := path.Base(name); base == "kubectl-oidc_login" && !strings.Contains(name, "completion") || base == "kubectl-oidc_login.exe" {
			info, err := buildinfo.Read(bytes.NewReader(file.Content))
			if err != nil {
				tb.Fatalf("%s of %s: %v", name, a.Name, err)
			}
			return info
		}
	}
	tb.Fatalf("%s has no program", a.Name)
	return nil
}

func readZip(content []byte) (map[string]Packed, error) {
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, err
	}
	files := map[string]Packed{}
	for _, entry := range archive.File {
		reader, err := entry.Open()
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			return nil, err
		}
		files[entry.Name] = Packed{Content: content, Mode: entry.Mode()}
	}
	return files, nil
}

func readTarball(compressed io.Reader) (map[string]Packed, error) {
	plain, err := gzip.NewReader(compressed)
	if err != nil {
		return nil, err
	}
	files := map[string]Packed{}
	for archive := tar.NewReader(plain); ; {
		header, err := archive.Next()
		if err == io.EOF {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			return nil, err
		}
		if header.Typeflag == tar.TypeReg {
			files[strings.TrimPrefix(header.Name, "./")] = Packed{content, header.FileInfo().Mode(), header.Uname + ":" + header.Gname}
		}
	}
}

// readDeb reads the data of a package. https://manpages.debian.org/deb.5 https://manpages.debian.org/ar.5
func readDeb(content []byte) (map[string]Packed, error) {
	const magic, headerSize = "!<arch>\n", 60
	for rest := bytes.TrimPrefix(content, []byte(magic)); len(rest) > headerSize; {
		name := strings.TrimRight(string(rest[:16]), " /")
		size, err := strconv.Atoi(strings.TrimSpace(string(rest[48:58])))
		if err != nil {
			return nil, err
		}
		member := rest[headerSize : headerSize+size]
		if name == "data.tar.gz" {
			return readTarball(bytes.NewReader(member))
		}
		rest = rest[headerSize+size+size%2:]
	}
	return nil, fmt.Errorf("there is no data.tar.gz")
}

// readRPM reads the payload of a package, which comes after a lead and two headers.
// https://rpm-software-management.github.io/rpm/manual/format_v4.html
func readRPM(content []byte) (map[string]Packed, error) {
	rest := content[96:]
	for header := range 2 {
		entries, data := binary.BigEndian.Uint32(rest[8:]), binary.BigEndian.Uint32(rest[12:])
		size := 16 + 16*int(entries) + int(data)
		if header == 0 { // the signatures are padded
			size = (size + 7) &^ 7
		}
		rest = rest[size:]
	}
	plain, err := gzip.NewReader(bytes.NewReader(rest))
	if err != nil {
		return nil, err
	}
	archive, err := io.ReadAll(plain)
	if err != nil {
		return nil, err
	}
	return readCPIO(archive)
}

// readCPIO reads an archive of the format "newc": numbers of eight hex digits, and names and contents padded to four bytes.
// https://manpages.debian.org/cpio.5
func readCPIO(archive []byte) (map[string]Packed, error) {
	const headerSize = 110
	files := map[string]Packed{}
	for offset := 0; ; {
		number := func(field int) int {
			value, _ := strconv.ParseUint(string(archive[offset+6+8*field:][:8]), 16, 32)
			return int(value)
		}
		if string(archive[offset:][:6]) != "070701" {
			return nil, fmt.Errorf("at %d, there is no header", offset)
		}
		mode, size, nameSize := number(1), number(6), number(11)
		name := string(archive[offset+headerSize:][:nameSize-1])
		if name == "TRAILER!!!" {
			return files, nil
		}
		begin := (offset + headerSize + nameSize + 3) &^ 3
		if mode&0o170000 == 0o100000 {
			files[strings.TrimLeft(name, "./")] = Packed{Content: archive[begin:][:size], Mode: fs.FileMode(mode & 0o777)}
		}
		offset = (begin + size + 3) &^ 3
	}
}

func readJSON(tb testing.TB, file string, value any) {
	tb.Helper()
	if err := json.Unmarshal([]byte(readFile(tb, file)), value); err != nil {
		tb.Fatalf("%s: %v", file, err)
	}
}
