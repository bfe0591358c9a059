package harness

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"
)

const stopGrace = 15 * time.Second

// Stop is End for a test: what the program did wrong at its end fails the test.
func (p *Process) Stop(t *testing.T) {
	t.Helper()
	if err := p.End(); err != nil {
		t.Error(err)
	}
}

// End ends the program and everything that it started, and returns when all of it is gone. The error says what a program that
// EndsCleanly did wrong; only the first call returns it.
func (p *Process) End() error {
	var problem error
	p.endOnce.Do(func() { problem = p.end() })
	if !p.EndsCleanly {
		return nil
	}
	return problem
}

func (p *Process) end() error {
	var problems []error
	p.Look()
	p.atStop = map[string]int{p.stdout: len(readLog(p.stdout)), p.stderr: len(readLog(p.stderr))}
	began := time.Now()
	p.signal(p.StopSignal)
	select {
	case <-p.exited:
	case <-time.After(stopGrace):
		problems = append(problems, fmt.Errorf("%s still runs %s after %s", p.Name, stopGrace, p.StopSignal))
	}
	_ = poll(stopGrace-time.Since(began), func() error {
		if left := p.Survivors(); len(left) > 0 {
			return errors.New("processes are left")
		}
		return nil
	})
	if left := p.Survivors(); len(left) > 0 {
		problems = append(problems, fmt.Errorf("%s left processes behind: %v", p.Name, left))
		for _, id := range left {
			id.kill()
		}
	}
	<-p.exited
	return errors.Join(problems...)
}

// Freeze makes the program hang: the kernel goes on accepting connections to its port, and nothing is answered until Thaw.
// Only for programs of one process.
func (p *Process) Freeze(t *testing.T) {
	t.Helper()
	// A frozen program would not hear that it is to end.
	t.Cleanup(p.Thaw)
	p.signal(syscall.SIGSTOP)
}

// Thaw ends what Freeze began.
func (p *Process) Thaw() { p.signal(syscall.SIGCONT) }

func (p *Process) signal(signal syscall.Signal) {
	if !p.running() {
		return
	}
	target := p.pid()
	if p.StopGroup {
		target = -target
	}
	_ = syscall.Kill(target, signal)
}

// Survivors are the processes of the program's tree that still live.
func (p *Process) Survivors() []processID {
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
