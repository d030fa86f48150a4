package store

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// threePlaces is a chain of two keychains that can be made to refuse, and a last place.
type threePlaces struct {
	chain         *chain
	first, second *mapKeychain
	warnings      []error
	log           strings.Builder
}

func newThreePlaces() *threePlaces {
	places := &threePlaces{first: newMapKeychain(0), second: newMapKeychain(0)}
	places.chain = &chain{
		places: []vault{
			newKeychain("first", places.first.items()), newKeychain("second", places.second.items()), &memory{},
		},
		warn: func(err error) { places.warnings = append(places.warnings, err) },
		log:  slog.New(slog.NewTextHandler(&places.log, nil)),
	}
	return places
}

// holders says which places have the value, as in "2:new".
func (p *threePlaces) holders(t *testing.T) string {
	t.Helper()
	var holders []string
	for i, place := range p.chain.places {
		if value, err := place.get(t.Context(), "name"); err == nil {
			holders = append(holders, fmt.Sprintf("%d:%s", i+1, value))
		}
	}
	return strings.Join(holders, " ")
}

const anyWrites, noWrites = -1, 0

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
		"it stays in the second":       {[]int{1}, anyWrites, anyWrites, "2:new", false, false},
		"it stays in the third":        {[]int{2}, anyWrites, anyWrites, "3:new", false, false},
		"the second is full meanwhile": {[]int{1}, anyWrites, noWrites, "3:new", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			places := newThreePlaces()
			for _, i := range test.before {
				if err := places.chain.places[i].set(t.Context(), "name", []byte("old")); err != nil {
					t.Fatal(err)
				}
			}
			places.first.writes, places.second.writes = test.first, test.second
			if err := places.chain.set(t.Context(), "name", []byte("new")); err != nil {
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
			if got, err := places.chain.get(t.Context(), "name"); err != nil || string(got) != "new" {
				t.Errorf("expected the new value, got %q, %v", got, err)
			}
			place := map[string]Place{"1:new": "first", "2:new": "second", "3:new": InMemory}[test.holders]
			if got := places.chain.place(t.Context(), "name"); got != place {
				t.Errorf("expected it in the %s, got the %s", place, got)
			}
			if err := places.chain.remove(t.Context(), "name"); err != nil {
				t.Error(err)
			}
			if got := places.holders(t); got != "" {
				t.Errorf("expected nothing, got it in %s", got)
			}
		})
	}
}

// Nothing found is said only where nothing but the file is left to save to.
func TestChainGetsNothing(t *testing.T) {
	t.Parallel()
	refuses := newKeychain(InKeychain, refusingKeychain())
	for name, test := range map[string]struct {
		second   vault
		warnings string
	}{
		"the second works": {&memory{}, "[]"},
		"the second does not": {
			newKeychain("other", refusingKeychain()),
			"[the keychain cannot be used: locked; the other cannot be used: locked;" +
				" the session is kept in a file that only you can read]",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			places := newThreePlaces()
			places.chain.places = []vault{refuses, test.second, &memory{}}
			for range 2 {
				if _, err := places.chain.get(t.Context(), "name"); !errors.Is(err, token.ErrNotFound) {
					t.Errorf("expected ErrNotFound, got %v", err)
				}
			}
			if got := fmt.Sprint(places.warnings); got != test.warnings {
				t.Errorf("expected %s, got %s", test.warnings, got)
			}
		})
	}
}
