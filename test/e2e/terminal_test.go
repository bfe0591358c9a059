package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"keystone-edge-auth.test/e2e/harness"
)

// terminal is kubectl on a pseudo-terminal.
type terminal struct {
	file    *os.File
	command *exec.Cmd
	cancel  context.CancelFunc
	ended   chan struct{}

	mutex  sync.Mutex
	output strings.Builder
	seen   int
}

// openTerminal runs `kubectl auth whoami` as somebody who sits before a terminal.
func (s *pluginStage) openTerminal(t *testing.T, config kubeconfig) *terminal {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	command := exec.CommandContext(ctx, tools.Path("kubectl"), "--kubeconfig="+string(config), "auth", "whoami")
	command.Env = append(os.Environ(), "HOME="+s.cluster.kubectlHome, "KUBECONFIG=")
	file, err := pty.Start(command)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	term := &terminal{file: file, command: command, cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(term.ended)
		buffer := make([]byte, 4096)
		for {
			n, err := file.Read(buffer)
			term.mutex.Lock()
			term.output.Write(buffer[:n])
			term.mutex.Unlock()
			if err != nil {
				return // EIO: the last process that had the terminal open is gone
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		_ = file.Close()
	})
	return term
}

func (term *terminal) text() string {
	term.mutex.Lock()
	defer term.mutex.Unlock()
	return term.output.String()
}

// expect waits for a text behind what was expected before.
func (term *terminal) expect(t *testing.T, text string) {
	t.Helper()
	harness.Eventually(t, 30*time.Second, "the terminal shows "+text, func() error {
		output := term.text()
		at := strings.Index(output[term.seen:], text)
		if at < 0 {
			return fmt.Errorf("it shows %q", output)
		}
		term.seen += at + len(text)
		return nil
	})
}

func (term *terminal) enter(t *testing.T, line string) {
	t.Helper()
	if _, err := term.file.WriteString(line + "\r"); err != nil {
		t.Fatal(err)
	}
}

// wait returns everything that the terminal showed, when kubectl has ended.
func (term *terminal) wait(t *testing.T) string {
	t.Helper()
	_ = term.command.Wait()
	select {
	case <-term.ended:
	case <-time.After(10 * time.Second):
		t.Error("kubectl has ended, and something holds its terminal open")
	}
	return term.text()
}
