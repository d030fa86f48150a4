package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

// Each archive has the program for its system, and all that must or may go with it. Beside it is a list of what is linked.
func TestReleaseArchives(t *testing.T) {
	t.Parallel()
	license := readFile(t, "../../LICENSE")
	archives := ReleaseArtifacts(t, "Archive")
	systems := []string{}
	for _, archive := range archives {
		systems = append(systems, archive.GoOS)
		files := archive.Open(t)
		want := map[string]bool{ // whether it can be executed
			"kubectl-oidc_login":                  true,
			"kubectl_complete-oidc_login":         true,
			"LICENSE":                             false,
			"README.md":                           false,
			"THIRD_PARTY_LICENSES":                false,
			"completions/kubectl-oidc_login.bash": false,
			"completions/kubectl-oidc_login.fish": false,
			"completions/kubectl-oidc_login.ps1":  false,
			"completions/kubectl-oidc_login.zsh":  false,
		}
		if archive.GoOS == "windows" {
			delete(want, "kubectl-oidc_login")
			want["kubectl-oidc_login.exe"] = true
		}
		assertPacked(t, archive, files, want)
		if string(files["LICENSE"].Content) != license {
			t.Errorf("%s has another LICENSE", archive.Name)
		}
		program := archive.Program(t, files)
		assertBuiltFor(t, archive, program)
		for _, module := range program.Deps {
			if !strings.Contains(string(files["THIRD_PARTY_LICENSES"].Content), module.Path) {
				t.Errorf("%s: THIRD_PARTY_LICENSES has nothing of %s", archive.Name, module.Path)
			}
		}
		assertBillOfMaterials(t, archive, program)
	}
	for _, system := range []string{"darwin", "freebsd", "linux", "windows"} {
		if !slices.Contains(systems, system) {
			t.Errorf("there is no archive for %s", system)
		}
	}
}

// A package puts each file where its distribution looks: the completions of zsh lie elsewhere on Debian.
func TestReleasePackages(t *testing.T) {
	t.Parallel()
	formats := map[string]int{}
	for _, artifact := range ReleaseArtifacts(t, "Linux Package") {
		format := filepath.Ext(artifact.Name)
		formats[format]++
		zsh := "usr/share/zsh/site-functions/_kubectl-oidc_login"
		if format == ".deb" {
			zsh = "usr/share/zsh/vendor-completions/_kubectl-oidc_login"
		}
		files := artifact.Open(t)
		maps.DeleteFunc(files, func(name string, _ Packed) bool { return strings.HasPrefix(name, ".") }) // what apk itself reads
		assertPacked(t, artifact, files, map[string]bool{
			"usr/bin/kubectl-oidc_login":                                  true,
			"usr/bin/kubectl_complete-oidc_login":                         true,
			"usr/share/bash-completion/completions/kubectl-oidc_login":    false,
			"usr/share/fish/vendor_completions.d/kubectl-oidc_login.fish": false,
			zsh: false,
			"usr/share/doc/kubectl-oidc-login/copyright":            false,
			"usr/share/doc/kubectl-oidc-login/THIRD_PARTY_LICENSES": false,
		})
		assertBuiltFor(t, artifact, artifact.Program(t, files))
	}
	for _, format := range []string{".apk", ".deb", ".rpm"} {
		if formats[format] == 0 {
			t.Errorf("there is no %s", format)
		}
	}
}

// Everything that is uploaded is in checksums.txt, and nothing else is.
func TestReleaseChecksums(t *testing.T) {
	t.Parallel()
	checksums := ReleaseChecksums(t)
	for _, artifact := range ReleaseArtifacts(t, "Archive", "Linux Package", "SBOM") {
		sum := sha256.Sum256([]byte(readFile(t, filepath.Join(dist, artifact.Name))))
		if checksums[artifact.Name] != hex.EncodeToString(sum[:]) {
			t.Errorf("%s has the SHA-256 %x, and in checksums.txt %q", artifact.Name, sum, checksums[artifact.Name])
		}
		delete(checksums, artifact.Name)
	}
	if len(checksums) > 0 {
		t.Errorf("checksums.txt has what is not uploaded: %v", checksums)
	}
}

// What package managers are told leads to the files of this release, and to what is in them.
func TestReleaseManifests(t *testing.T) {
	t.Parallel()
	checksums, archives := ReleaseChecksums(t), map[string]map[string]Packed{}
	for _, archive := range ReleaseArtifacts(t, "Archive") {
		archives[archive.Name] = archive.Open(t)
	}
	for _, manager := range []struct {
		file     string
		download string // an address and a checksum
		packed   string // a file that is expected in the archive
		archives int
	}{
		{"homebrew-tap/Formula/kubectl-oidc-login.rb", `url "(.*)"\s+sha256 "(.*)"`, `(?:install|,) "([^"]+)"`, 4},
		{"krew-index/plugins/oidc-login.yaml", `uri: (.*)\s+sha256: (.*)`, `- from: (.*)`, 8},
		{"scoop-bucket/bucket/kubectl-oidc-login.json", `"url": "(.*)",\s+"bin": \[\s+"kubectl-oidc_login\.exe"\s+\],\s+"hash": "(.*)"`, `"(kubectl-oidc_login\.exe)"`, 2},
	} {
		manifest := readFile(t, filepath.Join(dist, manager.file))
		downloads := regexp.MustCompile(manager.download).FindAllStringSubmatch(manifest, -1)
		if len(downloads) != manager.archives {
			t.Errorf("%s has %d archives, want %d", manager.file, len(downloads), manager.archives)
		}
		for _, download := range downloads {
			name, ours := strings.CutPrefix(download[1],
				"https://github.com/kubectl-oidc-login/kubectl-oidc-login/releases/download/v"+ReleaseVersion(t)+"/")
			if !ours || checksums[name] == "" || checksums[name] != download[2] {
				t.Errorf("%s: %s has the SHA-256 %q, not %s", manager.file, download[1], checksums[name], download[2])
				continue
			}
			for _, file := range regexp.MustCompile(manager.packed).FindAllStringSubmatch(manifest, -1) {
				if _, packed := archives[name][file[1]]; !packed && !isForOtherSystem(name, file[1]) {
					t.Errorf("%s: %s has no %s", manager.file, name, file[1])
				}
			}
		}
		if version := fmt.Sprintf(`(?m)^ *"?version"?:? "?v?%s"?,?$`, regexp.QuoteMeta(ReleaseVersion(t))); !regexp.MustCompile(version).MatchString(manifest) {
			t.Errorf("%s does not have the version %s", manager.file, ReleaseVersion(t))
		}
	}
}

// isForOtherSystem is true for the program under its name of another system, since a manifest has it under both.
func isForOtherSystem(archive, file string) bool {
	return file == "kubectl-oidc_login" && strings.HasSuffix(archive, ".zip") ||
		file == "kubectl-oidc_login.exe" && !strings.HasSuffix(archive, ".zip")
}

func assertPacked(t *testing.T, artifact Artifact, files map[string]Packed, want map[string]bool) {
	t.Helper()
	if got, wanted := slices.Sorted(maps.Keys(files)), slices.Sorted(maps.Keys(want)); !slices.Equal(got, wanted) {
		t.Errorf("%s has\n%s\nwant\n%s", artifact.Name, strings.Join(got, "\n"), strings.Join(wanted, "\n"))
	}
	for name, file := range files {
		mode := 0o644
		if want[name] {
			mode = 0o755
		}
		if int(file.Mode) != mode || len(file.Content) == 0 || file.Owner != "" && file.Owner != "root:root" {
			t.Errorf("%s: %s has %d bytes, the mode %v and the owner %q, want %#o of root", artifact.Name, name, len(file.Content), file.Mode, file.Owner, mode)
		}
	}
}

// assertBillOfMaterials compares the modules that are listed with those that the go command has linked.
func assertBillOfMaterials(t *testing.T, archive Artifact, program *debug.BuildInfo) {
	t.Helper()
	name, _, _ := strings.Cut(archive.Name, ".")
	var bill struct {
		Components []struct {
			Name    string `json:"name"`
			Version string `json:"version"`
		} `json:"components"`
	}
	readJSON(t, filepath.Join(dist, name+".cdx.json"), &bill)
	var listed, linked []string
	for _, component := range bill.Components {
		listed = append(listed, component.Name+" "+component.Version)
	}
	for _, module := range program.Deps {
		linked = append(linked, module.Path+" "+module.Version)
	}
	slices.Sort(listed)
	slices.Sort(linked)
	if len(linked) == 0 || !slices.Equal(listed, linked) {
		t.Errorf("%s: linked are\n%s\nand listed\n%s", name, strings.Join(linked, "\n"), strings.Join(listed, "\n"))
	}
}

// assertBuiltFor compares what the go command wrote into a program with what is said of its archive.
func assertBuiltFor(t *testing.T, artifact Artifact, program *debug.BuildInfo) {
	t.Helper()
	settings := map[string]string{}
	for _, setting := range program.Settings {
		settings[setting.Key] = setting.Value
	}
	for key, want := range map[string]string{
		"GOOS": artifact.GoOS, "GOARCH": artifact.GoArch, "GOARM": artifact.GoARM,
		"CGO_ENABLED": "0", "-trimpath": "true", "vcs": "git",
	} {
		if settings[key] != want {
			t.Errorf("the program of %s was built with %s=%q, want %q", artifact.Name, key, settings[key], want)
		}
	}
	if !strings.HasPrefix(program.Main.Version, "v") {
		t.Errorf("the program of %s calls itself %q", artifact.Name, program.Main.Version)
	}
}
