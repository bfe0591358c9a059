package peers

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"
)

const (
	endsWithin = 15 * time.Second
	logTail    = 4000
)

// program is a running process with both of its streams in one file.
type program struct {
	name    string
	command *exec.Cmd
	log     string
	exited  chan struct{}
}

// starts run on one thread that never ends: the kernel sends the death signal when the thread that started a process ends.
var starts = func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for start := range work {
			start()
		}
	}()
	return work
}()

// startProgram starts a program that is sent the signal if the test dies before it.
func startProgram(name, logFile string, atDeath syscall.Signal, command *exec.Cmd) (*program, error) {
	log, err := os.Create(logFile)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: atDeath}
	result := make(chan error)
	starts <- func() { result <- command.Start() }
	if err := <-result; err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	p := &program{name: name, command: command, log: logFile, exited: make(chan struct{})}
	go func() {
		_ = command.Wait()
		close(p.exited)
	}()
	return p, nil
}

// end asks the program to end and waits for it; one that does not is killed, and that is an error.
func (p *program) end(signal syscall.Signal) error {
	_ = p.command.Process.Signal(signal)
	select {
	case <-p.exited:
		return nil
	case <-time.After(endsWithin):
		_ = p.command.Process.Kill()
		<-p.exited
		return fmt.Errorf("%s had to be killed", p.name)
	}
}

// waitUntil polls check while the program runs.
func (p *program) waitUntil(limit time.Duration, check func() error) error {
	deadline := time.Now().Add(limit)
	for {
		err := check()
		if err == nil {
			return nil
		}
		select {
		case <-p.exited:
			return fmt.Errorf("%s ended by itself (%s):\n%s", p.name, p.command.ProcessState, p.tail())
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s: not within %s: %w\n%s", p.name, limit, err, p.tail())
		}
	}
}

func (p *program) output() string {
	content, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(content)
}

func (p *program) tail() string {
	text := p.output()
	return text[max(0, len(text)-logTail):]
}

// freePorts finds n loopback ports. All are held until the last is found, so that they differ from each other.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports
}
