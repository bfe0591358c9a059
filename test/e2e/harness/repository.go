package harness

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// moduleDir is test/e2e: `go test` runs the tests of a package in its directory, and go.mod is there or above.
func moduleDir() string {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	panic("no go.mod here or above")
}

// RepoRoot is the directory of package.json.
func RepoRoot() string { return filepath.Dir(filepath.Dir(moduleDir())) }

// NodePath is the Node that the repository pins, whatever the machine has.
func NodePath(t *testing.T) string {
	t.Helper()
	path := filepath.Join(RepoRoot(), "node_modules", ".bin", "node")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: run npm ci first", err)
	}
	return path
}

// NodeEnvironment is the environment of the repository's programs: its own tools come first on the PATH, as in npm scripts, and no
// setting of the product comes from the shell that runs the test.
func NodeEnvironment(settings map[string]string) []string {
	variables := map[string]string{
		"PATH":                  filepath.Join(RepoRoot(), "node_modules", ".bin") + string(os.PathListSeparator) + os.Getenv("PATH"),
		"WRANGLER_SEND_METRICS": "false",
	}
	for _, name := range []string{"HOME", "TMPDIR"} {
		if value, isSet := os.LookupEnv(name); isSet {
			variables[name] = value
		}
	}
	maps.Copy(variables, settings)
	var env []string
	for name, value := range variables {
		env = append(env, name+"="+value)
	}
	return env
}
