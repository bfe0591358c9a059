package main

import (
	"fmt"
	"os"
	"testing"
)

// TestMain builds the Kubernetes programs before the tests and holds afterwards that no process outlived them.
func TestMain(m *testing.M) {
	if err := buildTools(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	code := m.Run()
	if left := endSurvivors(); len(left) > 0 {
		fmt.Fprintln(os.Stderr, "e2e: processes that outlived their test (ended now):", left)
		code = 1
	}
	os.Exit(code)
}
