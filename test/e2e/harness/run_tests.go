// Package harness holds what the two suites share: building programs, starting and ending processes, waiting, and the webhook itself.
package harness

import (
	"fmt"
	"os"
	"testing"
)

// RunTests builds the programs, runs the tests and fails the run when a process outlived its test. It returns the exit code.
func RunTests(m *testing.M, build Build) int {
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if left := endSurvivors(); len(left) > 0 {
		fmt.Fprintln(os.Stderr, "processes that outlived their test (ended now):", left)
		code = 1
	}
	return code
}
