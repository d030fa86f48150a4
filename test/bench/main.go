// Command bench measures the built program as kubectl sees it: as whole processes, side by side with a floor program, in
// turns, so that a busy machine is busy for both. It prints a table of medians and ratios; -write puts it into a document
// between two marks. It fails where a target is missed.
package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"
)

func main() {
	// The scripted browser: this program itself, called with a URL.
	if len(os.Args) == 2 && os.Args[1][0] != '-' {
		browse(os.Args[1])
		return
	}
	document := flag.String("write", "", "`file` whose table is replaced")
	flag.Parse()
	if err := run(*document); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func browse(target string) {
	response, err := http.Get(target)
	if err != nil {
		os.Exit(1)
	}
	_ = response.Body.Close()
}

func run(document string) error {
	bench, err := prepare()
	if err != nil {
		return err
	}
	defer bench.close()
	var measured table
	for _, measure := range []func(*table) error{
		bench.measureCached,
		bench.measureRefresh,
		bench.measureParallel,
		bench.measureSize,
	} {
		if err := measure(&measured); err != nil {
			return err
		}
	}
	fmt.Print(measured.String())
	if document != "" {
		if err := measured.writeInto(document); err != nil {
			return err
		}
	}
	return measured.verdict()
}
