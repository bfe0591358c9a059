package harness

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

// Build compiles the tools that a module file names into a directory of its own.
type Build struct {
	// ModFile and SumFile list the dependencies; their paths are relative to test/e2e.
	ModFile, SumFile string
	// Dir receives the programs and the stamp; its path is relative to test/e2e.
	Dir string
	// Programs are the file names that the build yields.
	Programs []string
	// Takes tells the reader of the log how long to wait.
	Takes string
}

// Run compiles the programs, unless Dir has them from the same inputs already.
func (b Build) Run() error {
	stamp := filepath.Join(moduleDir(), b.Dir, "stamp")
	want, err := b.inputs()
	if err != nil {
		return err
	}
	if b.isBuiltFrom(want, stamp) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(stamp), 0o755); err != nil {
		return err
	}
	// Without its stamp an interrupted build does not pass for a finished one.
	if err := os.Remove(stamp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	fmt.Printf("building %s: %s\n", strings.Join(b.Programs, ", "), b.Takes)
	began := time.Now()
	build := exec.Command("go", b.flags()...)
	build.Dir, build.Stdout, build.Stderr = moduleDir(), os.Stdout, os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("go %s: %w", strings.Join(b.flags(), " "), err)
	}
	fmt.Printf("built in %s\n", time.Since(began).Round(time.Second))
	return os.WriteFile(stamp, []byte(want), 0o644)
}

// Path is the absolute path of a program.
func (b Build) Path(program string) string { return filepath.Join(moduleDir(), b.Dir, program) }

// flags leave out symbols, because the programs are large, and the state of the git tree, because every commit would relink them.
func (b Build) flags() []string {
	return []string{"build", "-modfile=" + b.ModFile, "-buildvcs=false", "-ldflags", "-s -w", "-o", b.Dir + string(filepath.Separator), "tool"}
}

// inputs is a hash of everything that decides what the build yields.
func (b Build) inputs() (string, error) {
	hash := sha256.New()
	for _, name := range []string{b.ModFile, b.SumFile} {
		content, err := os.ReadFile(filepath.Join(moduleDir(), name))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(hash, "%s %d\n%s", name, len(content), content)
	}
	fmt.Fprintln(hash, runtime.Version(), runtime.GOOS, runtime.GOARCH, b.flags())
	return hex.EncodeToString(hash.Sum(nil)), nil
}

func (b Build) isBuiltFrom(want, stamp string) bool {
	have, err := os.ReadFile(stamp)
	if err != nil || string(have) != want {
		return false
	}
	for _, program := range b.Programs {
		if _, err := os.Stat(b.Path(program)); err != nil {
			return false
		}
	}
	return true
}
