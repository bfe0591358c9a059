package peers

import (
	"os"
	"testing"

	"keystone-edge-auth.test/e2e/harness"
)

const program = "k8s-keystone-auth"

// build has a list of dependencies apart from the module's go.mod: kube-apiserver is compiled from exactly what its release names, and
// neither suite builds the programs of the other.
var build = harness.Build{
	ModFile: "peers/k8s-keystone-auth.mod",
	SumFile: "peers/k8s-keystone-auth.sum",
	Dir:     ".bin/peers",
	// The second one is for `npm run bench`, which compares the time that a log-in takes.
	Programs: []string{program, "client-keystone-auth"},
	Takes:    "seconds with warm Go caches, about 3 minutes with empty ones",
}

func TestMain(m *testing.M) { os.Exit(harness.RunTests(m, build)) }
