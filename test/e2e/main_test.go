package main

import (
	"os"
	"testing"

	"keystone-edge-auth.test/e2e/harness"
)

// tools are the programs that the tool directives of go.mod name; "server" is what etcd's main package is called.
var tools = harness.Build{
	ModFile:  "go.mod",
	SumFile:  "go.sum",
	Dir:      ".bin",
	Programs: []string{"kube-apiserver", "kubectl", "server"},
	Takes:    "about 20 s with warm Go caches, 5 to 10 minutes and 4 GB with empty ones",
}

func TestMain(m *testing.M) { os.Exit(harness.RunTests(m, tools)) }
