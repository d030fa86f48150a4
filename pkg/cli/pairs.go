package cli

import (
	"encoding/csv"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/kubeconfig"
)

// pairsOf is the value of a flag that takes NAME=VALUE, as one argument that the flag reads as it was. Of a secret flag it
// has the names alone.
func pairsOf(flags *pflag.FlagSet, name string) string {
	return pairText(flags, name, kubeconfig.IsSecretFlag(name))
}

// revealedPairs also has the values of a secret flag.
func revealedPairs(flags *pflag.FlagSet, name string) string { return pairText(flags, name, false) }

func pairText(flags *pflag.FlagSet, name string, masked bool) string {
	values, err := flags.GetStringToString(name)
	if err != nil {
		return "" // a flag of another type
	}
	var pairs []string
	for _, key := range slices.Sorted(maps.Keys(values)) {
		value := values[key]
		if masked {
			value = "YOUR_VALUE"
		}
		pairs = append(pairs, key+"="+value)
	}
	return joinPairs(pairs)
}

// joinPairs writes pairs as pflag reads them: as a line of CSV, unless there is just one "=".
func joinPairs(pairs []string) string {
	if len(pairs) == 1 && strings.Count(pairs[0], "=") == 1 {
		return pairs[0]
	}
	var line strings.Builder
	writer := csv.NewWriter(&line)
	_ = writer.Write(pairs) // into memory
	writer.Flush()
	return strings.TrimSuffix(line.String(), "\n")
}

// flagError says what a flag takes, in place of pflag's words, which are Go's. A pair's value may be a secret.
func flagError(err error) error {
	var wrong *pflag.InvalidValueError
	if !errors.As(err, &wrong) {
		return misused(err)
	}
	flag := "--" + wrong.GetFlag().Name
	switch wrong.GetFlag().Value.Type() {
	case "stringToString":
		err = errors.New(flag + ": must be NAME=VALUE")
	case "bool":
		err = errors.New(flag + "=" + wrong.GetValue() + ": must be true or false")
	case "int":
		err = errors.New(flag + "=" + wrong.GetValue() + ": must be a whole number")
	}
	return misused(err)
}
