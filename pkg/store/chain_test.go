package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"syscall"
	"testing"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// threePlaces is a chain of two keychains that can be made to refuse, and a last place.
type threePlaces struct {
	chain         *chain
	first, second *mapKeychain
	third         *fallibleFile
	notes         keychainNotes // on the first
	kernelNotes   keychainNotes // on the second
	warnings      []error
	log           strings.Builder
}

func newThreePlaces(t *testing.T) *threePlaces {
	places := &threePlaces{first: newMapKeychain(0), second: newMapKeychain(0), third: &fallibleFile{vault: &memory{}}}
	log := slog.New(slog.NewTextHandler(&places.log, nil))
	places.notes = notesOnKeychain(folders{{path: t.TempDir()}}, Config{}.machineName(), log)
	places.kernelNotes = notesOnKernelKeyring(places.notes.folders, Config{}.machineName(), log)
	places.chain = &chain{
		places: []vault{
			unspent{&noted{newKeychain(InKeychain, places.first.items()), places.notes}},
			unspent{&noted{newKeychain(InKernelKeyring, places.second.items()), places.kernelNotes}},
			places.third,
		},
		warn: func(err error) { places.warnings = append(places.warnings, err) },
		log:  log,
	}
	return places
}

// holders says which places have the value, as in "2:new".
func (p *threePlaces) holders(t *testing.T) string {
	t.Helper()
	var holders []string
	for i, place := range p.chain.places {
		if value, err := place.get(t.Context(), nameOfSession); err == nil {
			holders = append(holders, fmt.Sprintf("%d:%s", i+1, value))
		}
	}
	return strings.Join(holders, " ")
}

const anyWrites, noWrites = -1, 0

const nameOfSession = "id" + sessionEnd

func TestChainPlaces(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		before         []int // places that have a value at the start, from 0
		first, second  int   // the writes that these allow
		holders        string
		warned, logged bool
	}{
		"all work":                     {nil, anyWrites, anyWrites, "1:new", false, false},
		"the first fails":              {nil, noWrites, anyWrites, "2:new", false, true},
		"both fail":                    {nil, noWrites, noWrites, "3:new", true, false},
		"it stays in the first":        {[]int{0}, anyWrites, anyWrites, "1:new", false, false},
		"the first fails meanwhile":    {[]int{0}, noWrites, anyWrites, "2:new", false, true},
		"it stays in the second":       {[]int{1}, anyWrites, anyWrites, "2:new", false, false},
		"it stays in the third":        {[]int{2}, anyWrites, anyWrites, "3:new", false, false},
		"the second is full meanwhile": {[]int{1}, anyWrites, noWrites, "3:new", true, false},
		"the first two have one":       {[]int{0, 1}, anyWrites, anyWrites, "2:new", false, false},
		"the first and third have one": {[]int{0, 2}, anyWrites, anyWrites, "3:new", false, false},
		"all have one":                 {[]int{0, 1, 2}, noWrites, noWrites, "3:new", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			places := newThreePlaces(t)
			for _, i := range test.before {
				if err := places.chain.places[i].set(t.Context(), nameOfSession, []byte("old")); err != nil {
					t.Fatal(err)
				}
			}
			places.first.writes, places.second.writes = test.first, test.second
			if err := places.chain.set(t.Context(), nameOfSession, []byte("new")); err != nil {
				t.Fatal(err)
			}
			if got := places.holders(t); got != test.holders {
				t.Errorf("expected it in %s, got %s", test.holders, got)
			}
			if warned := len(places.warnings) == 1; warned != test.warned {
				t.Errorf("expected a warning: %v, got %v", test.warned, places.warnings)
			}
			if logged := places.log.Len() > 0; logged != test.logged {
				t.Errorf("expected a line in the log: %v, got %q", test.logged, places.log.String())
			}
			if got, err := places.chain.get(t.Context(), nameOfSession); err != nil || string(got) != "new" {
				t.Errorf("expected the new value, got %q, %v", got, err)
			}
			place := map[string]Place{"1:new": InKeychain, "2:new": InKernelKeyring, "3:new": InMemory}[test.holders]
			if got := places.chain.place(t.Context(), nameOfSession); got != place {
				t.Errorf("expected it in the %s, got the %s", place, got)
			}
			if err := places.chain.remove(t.Context(), nameOfSession); err != nil {
				t.Error(err)
			}
			if got := places.holders(t); got != "" {
				t.Errorf("expected nothing, got it in %s", got)
			}
		})
	}
}

// A place that fails is not an empty one where it may have the value: a keychain by its note, and a file always, but for what
// is closed to this process.
func TestChainGetsNothing(t *testing.T) {
	t.Parallel()
	closed := fmt.Errorf("token cache: %w", &fs.PathError{Op: "open", Path: "file", Err: fs.ErrPermission})
	for name, test := range map[string]struct {
		first, second Keychain
		note          string
		file          vault
		want          string
	}{
		"all are empty":             {newMapKeychain(0).items(), newMapKeychain(0).items(), "", &memory{}, "not found"},
		"neither keychain ever had": {refusingKeychain(), refusingKeychain(), "", &memory{}, "not found"},
		"the first may have it": {refusingKeychain(), newMapKeychain(0).items(), heldNote, &memory{},
			"the keychain cannot be used: locked; your session may be in it"},
		"the first had it": {newMapKeychain(0).items(), newMapKeychain(0).items(), heldNote, &memory{}, "not found"},
		"the second may have it": {newMapKeychain(0).items(), refusingKeychain(), heldKernelNote, &memory{},
			"the kernel keyring cannot be used: locked; your session may be in it"},
		"what the second has is spent": {newMapKeychain(0).items(), refusingKeychain(), spentKernelNote, &memory{}, "not found"},
		"the first is closed": {failingKeychain(syscall.EACCES), newMapKeychain(0).items(), heldNote, &memory{},
			"the keychain cannot be used: permission denied; your session may be in it"},
		"the kernel forbids keys":     {refusingKeychain(), failingKeychain(syscall.EPERM), heldKernelNote, &memory{}, "not found"},
		"the kernel knows no keys":    {refusingKeychain(), failingKeychain(syscall.ENOSYS), heldKernelNote, &memory{}, "not found"},
		"it knows none for a user":    {refusingKeychain(), failingKeychain(syscall.EOPNOTSUPP), heldKernelNote, &memory{}, "not found"},
		"it lets nobody reach them":   {refusingKeychain(), failingKeychain(syscall.EACCES), heldKernelNote, &memory{}, "not found"},
		"what the first has is spent": {refusingKeychain(), newMapKeychain(0).items(), spentNote, &memory{}, "not found"},
		"the file cannot be read": {newMapKeychain(0).items(), newMapKeychain(0).items(), "", failing{syscall.EMFILE},
			syscall.EMFILE.Error()},
		"the folder is closed": {newMapKeychain(0).items(), newMapKeychain(0).items(), "", failing{closed}, "not found"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			places := newThreePlaces(t)
			notes := places.notes
			if test.note != "" {
				if err := notes.folders.write(notes.name(nameOfSession, test.note), nil); err != nil {
					t.Fatal(err)
				}
			}
			places.chain.places = []vault{
				unspent{&noted{newKeychain(InKeychain, test.first), notes}},
				unspent{&noted{newKeychain(InKernelKeyring, test.second), places.kernelNotes}},
				test.file,
			}
			if _, err := places.chain.get(t.Context(), nameOfSession); fmt.Sprint(err) != test.want {
				t.Errorf("expected %q, got %v", test.want, err)
			}
			if len(places.warnings) > 0 {
				t.Errorf("nothing is kept anywhere, but: %v", places.warnings)
			}
		})
	}
}

// fallibleFile is a file that fails a number of times.
type fallibleFile struct {
	vault
	failedGets, failedSets, failedRemoves int
}

var errBusy = errors.New("busy")

func (f *fallibleFile) get(ctx context.Context, name string) ([]byte, error) {
	if f.failedGets--; f.failedGets >= 0 {
		return nil, errBusy
	}
	return f.vault.get(ctx, name)
}

func (f *fallibleFile) set(ctx context.Context, name string, value []byte) error {
	if f.failedSets--; f.failedSets >= 0 {
		return errBusy
	}
	return f.vault.set(ctx, name, value)
}

func (f *fallibleFile) remove(ctx context.Context, name string) error {
	if f.failedRemoves--; f.failedRemoves >= 0 {
		return errBusy
	}
	return f.vault.remove(ctx, name)
}

const always = 1000

// Whatever fails while a rotated token is saved, the one that it replaces is not used again, and the new one is not given up as
// long as any place takes it.
func TestChainNeverGoesBack(t *testing.T) {
	t.Parallel()
	const reused = `{"version":1,"static":true}` // the same refresh token came again
	for name, test := range map[string]struct {
		before                    []int // places that have the old value
		value                     string
		fail                      func(*threePlaces)
		holders, got, err, logged string
	}{
		"the file cannot be read for a moment": {[]int{2}, "new", func(p *threePlaces) { p.third.failedGets = 1 }, "3:new", "new", "", ""},
		"the file cannot be read for a moment, a keychain fails": {
			[]int{2}, "new", func(p *threePlaces) { p.third.failedGets, p.first.writes, p.second.writes = 1, noWrites, noWrites },
			"3:new", "new", "", "",
		},
		"the disk is full": {[]int{2}, "new", func(p *threePlaces) { p.third.failedSets = always }, "2:new", "new", "", errBusy.Error()},
		"the disk and the kernel's keyring are full": {
			[]int{2}, "new", func(p *threePlaces) { p.third.failedSets, p.second.writes = always, noWrites }, "1:new", "new", "", "no more writes",
		},
		"all fail": {
			[]int{0}, "new", func(p *threePlaces) { p.third.failedSets, p.second.writes, p.first.writes = always, noWrites, noWrites },
			"", "", "no more writes", "",
		},
		"all fail, the keychain altogether": {
			[]int{0}, "new", func(p *threePlaces) {
				p.third.failedSets, p.second.writes = always, noWrites
				p.chain.places[0] = unspent{&noted{newKeychain(InKeychain, refusingKeychain()), p.notes}}
			}, "", "", "locked", "passed over",
		},
		"all fail, where a file has it": {
			[]int{2}, "new", func(p *threePlaces) { p.third.failedSets, p.second.writes, p.first.writes = always, noWrites, noWrites },
			"", "", "no more writes", "",
		},
		"all fail, but the old one still works": {
			[]int{2}, reused, func(p *threePlaces) { p.third.failedSets, p.second.writes, p.first.writes = always, noWrites, noWrites },
			"3:old", "old", "no more writes", "",
		},
		"the old one cannot be removed": {
			[]int{2}, "new", func(p *threePlaces) { p.third.failedSets, p.third.failedRemoves = always, always },
			"2:new 3:old", "old", "what was replaced could not be removed: busy", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			places := newThreePlaces(t)
			for _, i := range test.before {
				if err := places.chain.places[i].set(t.Context(), nameOfSession, []byte("old")); err != nil {
					t.Fatal(err)
				}
			}
			test.fail(places)
			err := places.chain.set(t.Context(), nameOfSession, []byte(test.value))
			if (err != nil) != (test.err != "") || !strings.Contains(fmt.Sprint(err), test.err) {
				t.Errorf("expected the error %q, got %v", test.err, err)
			}
			if got := places.holders(t); got != test.holders {
				t.Errorf("expected it in %q, got %q", test.holders, got)
			}
			got, err := places.chain.get(t.Context(), nameOfSession)
			if string(got) != test.got || test.got == "" && !errors.Is(err, token.ErrNotFound) {
				t.Errorf("expected %q, got %q, %v", test.got, got, err)
			}
			if !strings.Contains(places.log.String(), test.logged) {
				t.Errorf("expected %q in the log, got %q", test.logged, places.log.String())
			}
		})
	}
}

// failing is a file that cannot be read.
type failing struct{ cause error }

func (f failing) get(context.Context, string) ([]byte, error) { return nil, f.cause }
func (f failing) set(context.Context, string, []byte) error   { return f.cause }
func (f failing) remove(context.Context, string) error        { return f.cause }
func (f failing) place(context.Context, string) Place         { return InFile }
