package cli

import (
	"encoding/csv"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// pairsOf are the values of a flag that takes NAME=VALUE, each as an argument that the flag reads as it was.
func pairsOf(flags *pflag.FlagSet, name string) []string {
	values, err := flags.GetStringToString(name)
	if err != nil {
		return nil // a flag of another type
	}
	var pairs []string
	for _, key := range slices.Sorted(maps.Keys(values)) {
		pairs = append(pairs, quotedPair(key+"="+values[key]))
	}
	return pairs
}

// quotedPair is a pair as pflag reads it: as a line of CSV where it has more than one "=".
func quotedPair(pair string) string {
	var line strings.Builder
	writer := csv.NewWriter(&line)
	if err := writer.Write([]string{pair}); err != nil {
		return pair
	}
	writer.Flush()
	return strings.TrimSuffix(line.String(), "\n")
}

// flagError hides what pflag repeats of a wrong value where that may be a secret.
func flagError(err error) error {
	var wrong *pflag.InvalidValueError
	if errors.As(err, &wrong) && isSecretFlag(wrong.GetFlag().Name) {
		err = errors.New("--" + wrong.GetFlag().Name + ": must be NAME=VALUE")
	}
	return misused(err)
}

// isSecretFlag knows the flags whose values are for nobody's eyes.
func isSecretFlag(name string) bool {
	return name == "oidc-client-secret" || name == "oidc-request-header"
}
