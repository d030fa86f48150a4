package cli

import "github.com/spf13/pflag"

// addKlogFlags accepts the flags of kubelogin's log library. They have no effect: everything is logged to stderr, and -v
// says how much.
func addKlogFlags(flags *pflag.FlagSet) {
	for _, name := range []string{
		"add_dir_header", "alsologtostderr", "legacy_stderr_threshold_behavior", "logtostderr", "one_output", "skip_headers",
		"skip_log_headers",
	} {
		flags.VarPF(ignored("bool"), name, "", "").NoOptDefVal = "true"
		hide(flags, name)
	}
	for _, name := range []string{
		"log_backtrace_at", "log_dir", "log_file", "log_file_max_size", "stderrthreshold", "vmodule",
	} {
		flags.Var(ignored("string"), name, "")
		hide(flags, name)
	}
}

func hide(flags *pflag.FlagSet, name string) { flags.Lookup(name).Hidden = true }

// ignored is a flag of any value without effect; its text is the type.
type ignored string

// Set implements pflag.Value.
func (i ignored) Set(string) error { return nil }

// String implements pflag.Value.
func (i ignored) String() string { return "" }

// Type implements pflag.Value.
func (i ignored) Type() string { return string(i) }
