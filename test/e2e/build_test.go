package main

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
	"strings"
	"time"
)

const (
	binDir    = ".bin"
	stampFile = ".bin/stamp"
)

// The programs named by the tool directives of go.mod; "server" is what etcd's main package is called.
var tools = []string{"kube-apiserver", "kubectl", "server"}

// buildFlags leave out symbols (the three binaries are 200 MB even so) and the state of the git tree, which
// would make every commit relink them.
var buildFlags = []string{"build", "-buildvcs=false", "-ldflags", "-s -w", "-o", binDir + string(filepath.Separator), "tool"}

// buildTools compiles kube-apiserver, kubectl and etcd from go.mod into .bin/, unless what is there was built from the same inputs.
func buildTools() error {
	want, err := buildInputs()
	if err != nil {
		return err
	}
	if builtFrom(want) {
		return nil
	}
	fmt.Println("e2e: building kube-apiserver, kubectl and etcd; about 20 s with warm Go caches, 5 to 10 minutes and 4 GB with empty ones")
	if err := os.MkdirAll(binDir, 0o755); err != nil {
		return err
	}
	// A build that is interrupted half-way must not pass for a finished one.
	if err := os.Remove(stampFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	started := time.Now()
	build := exec.Command("go", buildFlags...)
	build.Stdout, build.Stderr = os.Stdout, os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("go %s: %w", strings.Join(buildFlags, " "), err)
	}
	fmt.Printf("e2e: built in %s\n", time.Since(started).Round(time.Second))
	return os.WriteFile(stampFile, []byte(want), 0o644)
}

// buildInputs is one line for everything that decides what the build yields.
func buildInputs() (string, error) {
	hash := sha256.New()
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(hash, "%s %d\n%s", name, len(content), content)
	}
	fmt.Fprintln(hash, runtime.Version(), runtime.GOOS, runtime.GOARCH, buildFlags)
	return hex.EncodeToString(hash.Sum(nil)), nil
}

func builtFrom(want string) bool {
	stamp, err := os.ReadFile(stampFile)
	if err != nil || string(stamp) != want {
		return false
	}
	for _, tool := range tools {
		if _, err := os.Stat(filepath.Join(binDir, tool)); err != nil {
			return false
		}
	}
	return true
}

// toolPath is the absolute path of a built program: processes are started in other directories.
func toolPath(name string) string {
	path, err := filepath.Abs(filepath.Join(binDir, name))
	if err != nil {
		panic(err)
	}
	return path
}

// repoRoot is where package.json is.
func repoRoot() string {
	path, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		panic(err)
	}
	return path
}
