package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Spec says how to start a program and how to ask for its end.
type Spec struct {
	Name string // of the log files, too
	Dir  string
	Path string
	Args []string
	Env  []string // nil means the environment of the test

	// StopSignal asks for a clean end.
	StopSignal syscall.Signal
	// StopGroup sends the signal to the whole process group, as a terminal does on Ctrl-C.
	StopGroup bool
	// EndsCleanly makes it an error of the program when the program needs SIGKILL or leaves a descendant behind.
	EndsCleanly bool
	// DeathSignal is sent by the kernel if the test itself dies. SIGKILL suits a program without children; a program with children
	// needs a signal that lets it end them.
	DeathSignal syscall.Signal
}

// Process is a running program. Its logs are files.
type Process struct {
	Spec
	command        *exec.Cmd
	stdout, stderr string
	atStop         map[string]int // length of each log when the end was asked for
	exited         chan struct{}
	seen           []processID
	endOnce        sync.Once
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

// Start starts a program and returns at once. At the end of the test the program is ended, and a failed test shows the logs.
func Start(t *testing.T, spec Spec) *Process {
	t.Helper()
	p, err := Launch(spec, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Stop(t)
		if t.Failed() {
			p.showLogs(t)
		}
	})
	return p
}

// Launch starts a program with its logs in the directory and returns at once. The caller ends the program with End.
func Launch(spec Spec, logDir string) (*Process, error) {
	p := &Process{
		Spec:    spec,
		command: exec.Command(spec.Path, spec.Args...),
		stdout:  filepath.Join(logDir, spec.Name+".stdout"),
		stderr:  filepath.Join(logDir, spec.Name+".stderr"),
		exited:  make(chan struct{}),
	}
	p.command.Dir = spec.Dir
	p.command.Env = spec.Env
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: spec.DeathSignal}
	// Files, not pipes: Wait would hang on a pipe that a forgotten grandchild keeps open.
	stdout, err := os.Create(p.stdout)
	if err != nil {
		return nil, err
	}
	defer stdout.Close()
	stderr, err := os.Create(p.stderr)
	if err != nil {
		return nil, err
	}
	defer stderr.Close()
	p.command.Stdout, p.command.Stderr = stdout, stderr

	failed := make(chan error)
	launcher <- func() { failed <- p.command.Start() }
	if err := <-failed; err != nil {
		return nil, fmt.Errorf("%s: %w", spec.Name, err)
	}
	p.Look()
	go func() {
		_ = p.command.Wait()
		close(p.exited)
	}()
	return p, nil
}

func (p *Process) pid() int { return p.command.Process.Pid }

// Look remembers which processes the program consists of now.
func (p *Process) Look() {
	tree := processTree(p.pid())
	p.seen = append(p.seen, tree...)
	remember(tree)
}

func (p *Process) running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// ExitError explains an end that the test did not ask for; nil while the program runs.
func (p *Process) ExitError() error {
	if p.running() {
		return nil
	}
	return fmt.Errorf("%s ended unasked: %s", p.Name, p.command.ProcessState)
}

// ExitCode is the code of a program that has ended.
func (p *Process) ExitCode() int {
	<-p.exited
	return p.command.ProcessState.ExitCode()
}

// Wait repeats check until it returns nil, the limit has passed or the program has ended.
func (p *Process) Wait(limit time.Duration, check func() error) error {
	var ended error
	err := poll(limit, func() error {
		err := check()
		if err != nil {
			ended = p.ExitError()
		}
		if ended != nil {
			return nil
		}
		return err
	})
	p.Look()
	if ended != nil {
		return ended
	}
	return err
}

// WaitUntil is Wait for a test that cannot go on without it.
func (p *Process) WaitUntil(t *testing.T, limit time.Duration, what string, check func() error) {
	t.Helper()
	if err := p.Wait(limit, check); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}
