package harness

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

const logTailSize = 6000

// Stdout is all that the program has written to its standard output so far.
func (p *Process) Stdout() string { return readLog(p.stdout) }

// Output is all that the program has written so far, on both streams.
func (p *Process) Output() string { return readLog(p.stdout) + readLog(p.stderr) }

// Tail is the end of the output.
func (p *Process) Tail() string { return tail(p.Output()) }

// showLogs prints the end of both logs; for a program whose shutdown is no subject of the test, the end before the shutdown: etcd and
// kube-apiserver write more while they stop than a reader wants to skip.
func (p *Process) showLogs(t *testing.T) {
	t.Helper()
	for _, path := range []string{p.stdout, p.stderr} {
		text := readLog(path)
		if !p.EndsCleanly {
			text = text[:p.atStop[path]]
		}
		if text != "" {
			t.Logf("--- %s\n%s", filepath.Base(path), tail(text))
		}
	}
}

func tail(text string) string {
	if len(text) > logTailSize {
		return "…" + text[len(text)-logTailSize:]
	}
	return text
}

func readLog(path string) string {
	content, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err.Error()
	}
	return string(content)
}
