package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// processID is a process for as long as the machine runs: pids are reused, a pid with its start time is not.
type processID struct {
	pid       int
	startTime string
	name      string
}

func (id processID) String() string { return fmt.Sprintf("%s(%d)", id.name, id.pid) }

// started collects every process of the run and all its descendants that were seen, for the check at the very end.
var started = struct {
	sync.Mutex
	ids map[processID]bool
}{ids: map[processID]bool{}}

func remember(ids []processID) {
	started.Lock()
	defer started.Unlock()
	for _, id := range ids {
		started.ids[id] = true
	}
}

// endSurvivors kills, one by one, the processes of this run that still live, and names them.
func endSurvivors() []processID {
	started.Lock()
	defer started.Unlock()
	var left []processID
	for id := range started.ids {
		if id.alive() {
			left = append(left, id)
			id.kill()
		}
	}
	return left
}

// alive is false for a zombie: it has ended, only its parent has not looked yet.
func (id processID) alive() bool {
	stat, err := readStat(id.pid)
	return err == nil && stat.state != "Z" && stat.startTime == id.startTime
}

func (id processID) kill() {
	if id.alive() {
		_ = syscall.Kill(id.pid, syscall.SIGKILL)
	}
}

// processTree is the process and all its descendants, whichever process group they have moved to.
func processTree(pid int) []processID {
	children := map[int][]processID{}
	byPID := map[int]processID{}
	paths, _ := filepath.Glob("/proc/[0-9]*")
	for _, path := range paths {
		number, err := strconv.Atoi(filepath.Base(path))
		if err != nil {
			continue
		}
		stat, err := readStat(number)
		if err != nil {
			continue // ended since the listing
		}
		id := processID{pid: number, startTime: stat.startTime, name: stat.name}
		byPID[number] = id
		children[stat.parent] = append(children[stat.parent], id)
	}
	root, exists := byPID[pid]
	if !exists {
		return nil
	}
	tree := []processID{root}
	for next := 0; next < len(tree); next++ {
		tree = append(tree, children[tree[next].pid]...)
	}
	return tree
}

type procStat struct {
	name, state, startTime string
	parent                 int
}

// readStat reads /proc/PID/stat. The name stands in parentheses and may hold spaces, so fields are counted after the last ")".
func readStat(pid int) (procStat, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return procStat{}, err
	}
	text := string(content)
	open, end := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if open < 0 || end < open {
		return procStat{}, fmt.Errorf("/proc/%d/stat: no name", pid)
	}
	fields := strings.Fields(text[end+1:])
	const parentField, startTimeField = 1, 19 // proc_pid_stat(5), fields 4 and 22
	if len(fields) <= startTimeField {
		return procStat{}, fmt.Errorf("/proc/%d/stat: %d fields", pid, len(fields))
	}
	parent, err := strconv.Atoi(fields[parentField])
	return procStat{name: text[open+1 : end], state: fields[0], startTime: fields[startTimeField], parent: parent}, err
}
