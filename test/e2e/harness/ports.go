package harness

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
)

// The kernel takes ports for outgoing connections and for ":0" from 32768 on (ip_local_port_range), and so never one of these.
const lowestPort, portCount = 20000, 12000

var givenPorts = struct {
	sync.Mutex
	ports map[int]bool
}{ports: map[int]bool{}}

// FreePorts finds n free loopback ports and gives no port twice in a run, because a parallel test may not have bound its port yet.
func FreePorts(t *testing.T, n int) []int {
	t.Helper()
	givenPorts.Lock()
	defer givenPorts.Unlock()
	var found []int
	for range portCount {
		if len(found) == n {
			return found
		}
		port := lowestPort + rand.IntN(portCount)
		if givenPorts.ports[port] {
			continue
		}
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue // in use
		}
		listener.Close()
		givenPorts.ports[port] = true
		found = append(found, port)
	}
	t.Fatalf("found %d of %d free ports", len(found), n)
	return nil
}
