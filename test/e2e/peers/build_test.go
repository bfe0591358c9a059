package peers

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// The peer's own list of dependencies, apart from the module's go.mod: kube-apiserver is compiled from exactly what its release names,
// and neither suite builds the programs of the other.
const (
	peerModule = "peers/k8s-keystone-auth.mod"
	peerSums   = "peers/k8s-keystone-auth.sum"
	peerBin    = ".bin/peers/"
)

// buildPeer compiles k8s-keystone-auth unless what is there was built from the same inputs, and returns its absolute path.
func buildPeer(t *testing.T) string {
	t.Helper()
	module := filepath.Join(repoRoot(t), "test", "e2e")
	program := filepath.Join(module, peerBin, "k8s-keystone-auth")
	stamp := filepath.Join(module, peerBin, "stamp")
	args := []string{"build", "-modfile=" + peerModule, "-buildvcs=false", "-ldflags", "-s -w", "-o", peerBin, "tool"}
	hash := sha256.New()
	for _, name := range []string{peerModule, peerSums} {
		content, err := os.ReadFile(filepath.Join(module, name))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(hash, "%s %d\n%s", name, len(content), content)
	}
	fmt.Fprintln(hash, runtime.Version(), runtime.GOOS, runtime.GOARCH, args)
	want := hex.EncodeToString(hash.Sum(nil))
	if have, err := os.ReadFile(stamp); err == nil && string(have) == want {
		if _, err := os.Stat(program); err == nil {
			return program
		}
	}
	// A build that is interrupted half-way must not pass for a finished one.
	if err := os.Remove(stamp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	t.Log("building k8s-keystone-auth: seconds with warm Go caches, about 3 minutes with empty ones")
	began := time.Now()
	build := exec.Command("go", args...)
	build.Dir = module
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go %q: %v\n%s", args, err, output)
	}
	t.Logf("built in %s", time.Since(began).Round(time.Second))
	if err := os.WriteFile(stamp, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
	return program
}

// repoRoot is where package.json is.
func repoRoot(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return path
}
