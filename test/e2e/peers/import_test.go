package peers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"testing"

	"keystone-edge-auth.test/e2e/harness"
)

// ownProcesses is how many policies go through the bundled command in a process of their own; the others share one process.
const ownProcesses = 20

// imported is what `keystone-edge-auth import` makes of one policy.
type imported struct {
	document []byte
	changes  []change
	// isSame holds that every entry was kept as it is.
	isSame bool
}

// change is what the import says that means something else than before, or was left out.
type change struct{ Path, Message string }

// importPolicies runs the import of each policy as an administrator would, with the command line of these sources.
func importPolicies(t *testing.T, policies []policy) []imported {
	t.Helper()
	bundle := exec.CommandContext(t.Context(), harness.NodePath(t), "src/dev/bundle-commands.ts")
	bundle.Dir = harness.RepoRoot()
	if output, err := bundle.CombinedOutput(); err != nil {
		t.Fatalf("bundling the command line: %v\n%s", err, output)
	}
	dir := t.TempDir()
	outputs := importInOneProcess(t, policies, dir)
	for index, p := range policies[:ownProcesses] {
		outputs[index] = importInOwnProcess(t, marshal(p), outputDir(dir, index))
	}
	var results []imported
	for index, output := range outputs {
		result, err := readImported(marshal(policies[index]), output, outputDir(dir, index))
		if err != nil {
			t.Fatalf("import of policy %d: %v\npolicy: %s", index, err, marshal(policies[index]))
		}
		results = append(results, result)
	}
	return results
}

func outputDir(dir string, index int) string { return filepath.Join(dir, strconv.Itoa(index)) }

// importInOneProcess runs the command once for each policy in one process, because a start takes longer than an import.
func importInOneProcess(t *testing.T, policies []policy, dir string) []json.RawMessage {
	t.Helper()
	command := exec.CommandContext(t.Context(), harness.NodePath(t), "test/e2e/peers/import-policies.ts", dir)
	command.Dir, command.Env = harness.RepoRoot(), harness.NodeEnvironment(nil)
	command.Stdin = bytes.NewReader(marshal(policies))
	command.Stderr = os.Stderr
	output, err := command.Output()
	var outputs []json.RawMessage
	if err == nil {
		err = json.Unmarshal(output, &outputs)
	}
	if err != nil || len(outputs) != len(policies) {
		t.Fatalf("importing: %v\n%s", err, output)
	}
	return outputs
}

// importInOwnProcess runs the bundled command as an administrator does.
func importInOwnProcess(t *testing.T, document []byte, dir string) []byte {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), harness.NodePath(t), "dist/cli/keystone-edge-auth.cjs", "import", "-", "--out", dir, "-o", "json")
	command.Dir, command.Env = harness.RepoRoot(), harness.NodeEnvironment(nil)
	command.Stdin = bytes.NewReader(document)
	var problems bytes.Buffer
	command.Stderr = &problems
	output, err := command.Output()
	if err != nil {
		t.Fatalf("importing %s: %v\n%s", document, err, problems.Bytes())
	}
	return output
}

func readImported(document, output []byte, dir string) (imported, error) {
	var printed struct {
		Files   []string
		Changes []change
	}
	if err := json.Unmarshal(output, &printed); err != nil {
		return imported{}, fmt.Errorf("%w: %s", err, output)
	}
	file := filepath.Join(dir, "policy.json")
	if len(printed.Files) != 1 || printed.Files[0] != file {
		return imported{}, fmt.Errorf("wrote %q, want %s", printed.Files, file)
	}
	written, err := os.ReadFile(file)
	if err != nil {
		return imported{}, err
	}
	var was, is any
	if err := json.Unmarshal(written, &is); err != nil {
		return imported{}, err
	}
	if err := json.Unmarshal(document, &was); err != nil {
		return imported{}, err
	}
	return imported{written, printed.Changes, reflect.DeepEqual(was, is)}, nil
}
