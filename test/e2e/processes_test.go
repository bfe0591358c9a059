package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	stopGrace   = 15 * time.Second
	logTailSize = 6000
)

// processSpec says how to start a program of the stage and how it is asked to end.
type processSpec struct {
	name string // of the log files, too
	dir  string
	path string
	args []string
	env  []string // nil means the environment of the test

	// stopSignal asks for a clean end.
	stopSignal syscall.Signal
	// stopGroup sends it to the whole process group, as a terminal does on Ctrl-C.
	stopGroup bool
	// endsCleanly makes it an error of the program when it needs SIGKILL or leaves a descendant behind.
	endsCleanly bool
	// deathSignal is sent by the kernel if the test itself dies. SIGKILL is the safe choice for a program without children;
	// one that has children must get the chance to end them.
	deathSignal syscall.Signal
}

// process is a running program of the stage with its logs in files, which a failing test shows.
type process struct {
	processSpec
	command        *exec.Cmd
	stdout, stderr string
	atStop         map[string]int // length of each log when the end was asked for
	exited         chan struct{}
	seen           []processID
	stopOnce       sync.Once
}

// launcher starts every process on one thread that never ends: PR_SET_PDEATHSIG is bound to the parent's thread, not to the parent.
var launcher = func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for start := range work {
			start()
		}
	}()
	return work
}()

// startProcess starts a program, registers its end with the test and returns at once.
func startProcess(t *testing.T, spec processSpec) *process {
	t.Helper()
	logDir := t.TempDir()
	p := &process{
		processSpec: spec,
		command:     exec.Command(spec.path, spec.args...),
		stdout:      filepath.Join(logDir, spec.name+".stdout"),
		stderr:      filepath.Join(logDir, spec.name+".stderr"),
		exited:      make(chan struct{}),
	}
	p.command.Dir = spec.dir
	p.command.Env = spec.env
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: spec.deathSignal}
	// Files, not pipes: Wait would hang on a pipe that a forgotten grandchild keeps open.
	stdout, err := os.Create(p.stdout)
	if err != nil {
		t.Fatal(err)
	}
	defer stdout.Close()
	stderr, err := os.Create(p.stderr)
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	p.command.Stdout, p.command.Stderr = stdout, stderr

	failed := make(chan error)
	launcher <- func() { failed <- p.command.Start() }
	if err := <-failed; err != nil {
		t.Fatalf("%s: %v", spec.name, err)
	}
	p.look()
	go func() {
		_ = p.command.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() {
		p.stop(t)
		if t.Failed() {
			p.showLogs(t)
		}
	})
	return p
}

func (p *process) pid() int { return p.command.Process.Pid }

// look remembers which processes the program consists of now.
func (p *process) look() {
	tree := processTree(p.pid())
	p.seen = append(p.seen, tree...)
	remember(tree)
}

func (p *process) running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// exitError explains an end that nobody asked for; nil while the program runs.
func (p *process) exitError() error {
	if p.running() {
		return nil
	}
	return fmt.Errorf("%s ended by itself: %s", p.name, p.command.ProcessState)
}

// waitUntil polls check while the program runs.
func (p *process) waitUntil(t *testing.T, limit time.Duration, what string, check func() error) {
	t.Helper()
	eventually(t, limit, what, func() error {
		err := check()
		if ended := p.exitError(); err != nil && ended != nil {
			t.Fatalf("%s: %v", what, ended)
		}
		return err
	})
	p.look()
}

// stop ends the program and everything it started, and returns when all of it is gone. Calling it again does nothing.
func (p *process) stop(t *testing.T) {
	t.Helper()
	p.stopOnce.Do(func() {
		p.look()
		p.atStop = map[string]int{p.stdout: len(readLog(p.stdout)), p.stderr: len(readLog(p.stderr))}
		began := time.Now()
		p.signal(p.stopSignal)
		select {
		case <-p.exited:
		case <-time.After(stopGrace):
			p.complain(t, "%s still runs %s after %s", p.name, stopGrace, p.stopSignal)
		}
		for time.Since(began) < stopGrace && len(p.survivors()) > 0 {
			time.Sleep(pollEvery)
		}
		if left := p.survivors(); len(left) > 0 {
			p.complain(t, "%s left processes behind: %v", p.name, left)
			for _, id := range left {
				id.kill()
			}
		}
		<-p.exited
	})
}

func (p *process) complain(t *testing.T, format string, args ...any) {
	t.Helper()
	if p.endsCleanly {
		t.Errorf(format, args...)
	}
}

// freeze makes the program hang: its port goes on accepting connections, by the kernel's doing, and nothing is answered until thaw.
// Only for programs of one process.
func (p *process) freeze(t *testing.T) {
	t.Helper()
	// A frozen program would not hear that it is to end.
	t.Cleanup(p.thaw)
	p.signal(syscall.SIGSTOP)
}

func (p *process) thaw() { p.signal(syscall.SIGCONT) }

func (p *process) signal(signal syscall.Signal) {
	if !p.running() {
		return
	}
	target := p.pid()
	if p.stopGroup {
		target = -target
	}
	_ = syscall.Kill(target, signal)
}

// survivors are the processes of the program's tree that still live.
func (p *process) survivors() []processID {
	var left []processID
	listed := map[processID]bool{}
	for _, id := range p.seen {
		if !listed[id] && id.alive() {
			left = append(left, id)
		}
		listed[id] = true
	}
	return left
}

// output is all that the program has written so far, on both streams.
func (p *process) output() string { return readLog(p.stdout) + readLog(p.stderr) }

// showLogs prints the end of both logs; for a program whose shutdown is no subject here, the end before it: etcd and
// kube-apiserver write more while they stop than a reader wants to skip.
func (p *process) showLogs(t *testing.T) {
	t.Helper()
	for _, path := range []string{p.stdout, p.stderr} {
		text := readLog(path)
		if !p.endsCleanly {
			text = text[:p.atStop[path]]
		}
		if len(text) > logTailSize {
			text = "…" + text[len(text)-logTailSize:]
		}
		if text != "" {
			t.Logf("--- %s\n%s", filepath.Base(path), text)
		}
	}
}

func readLog(path string) string {
	content, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err.Error()
	}
	return string(content)
}

// environment is the environment of the test with some variables set and, when the value is empty, removed.
func environment(changes map[string]string) []string {
	var env []string
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if _, changed := changes[name]; !changed {
			env = append(env, entry)
		}
	}
	for name, value := range changes {
		if value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}
