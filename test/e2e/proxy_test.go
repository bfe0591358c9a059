package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"sync"
	"testing"

	"keystone-edge-auth.test/e2e/harness"
)

// keystoneProxy stands between the webhook and Keystone: it counts what the webhook asks, and can be switched off, which
// to the webhook is a Keystone whose port refuses connections.
//
// It passes bytes and the ends of connections as they come. A proxy that speaks HTTP to both sides would mend what the webhook has to
// cope with: uWSGI closes each connection after its answer without having said so.
type keystoneProxy struct {
	address  string
	upstream string
	listener net.Listener

	mutex       sync.Mutex
	connections map[net.Conn]bool
	total       int
	logIns      int
	lookUps     map[string]int
	answered    map[string]int
}

func startProxy(t *testing.T, target *keystone) *keystoneProxy {
	t.Helper()
	root, err := url.Parse(target.url)
	if err != nil {
		t.Fatal(err)
	}
	p := &keystoneProxy{
		address:     fmt.Sprintf("127.0.0.1:%d", harness.FreePorts(t, 1)[0]),
		upstream:    root.Host,
		connections: map[net.Conn]bool{},
		lookUps:     map[string]int{},
		answered:    map[string]int{},
	}
	p.on(t)
	t.Cleanup(p.off)
	return p
}

// url is the Identity API v3 through the proxy.
func (p *keystoneProxy) url() string { return "http://" + p.address + "/v3" }

// on listens, the second time on the same port as the first.
func (p *keystoneProxy) on(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	p.listener, p.address = listener, listener.Addr().String()
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return // closed by off
			}
			go p.connect(client)
		}
	}()
}

// off closes the listener and every connection.
func (p *keystoneProxy) off() {
	_ = p.listener.Close()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for connection := range p.connections {
		_ = connection.Close()
	}
}

func (p *keystoneProxy) track(connection net.Conn, open bool) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if open {
		p.connections[connection] = true
		return
	}
	delete(p.connections, connection)
	_ = connection.Close()
}

// connect joins one connection of the webhook with one to Keystone until both have ended.
func (p *keystoneProxy) connect(client net.Conn) {
	p.track(client, true)
	defer p.track(client, false)
	server, err := net.Dial("tcp", p.upstream)
	if err != nil {
		return
	}
	p.track(server, true)
	defer p.track(server, false)

	asked := make(chan string, 16)
	go p.passRequests(client, server, asked)
	p.passAnswers(server, client, asked)
}

// passRequests counts each request before Keystone sees it, and names its token to passAnswers.
func (p *keystoneProxy) passRequests(client, server net.Conn, asked chan<- string) {
	var raw bytes.Buffer
	reader := bufio.NewReader(io.TeeReader(client, &raw))
	for {
		request, err := http.ReadRequest(reader)
		if err == nil {
			_, err = io.Copy(io.Discard, request.Body)
		}
		if err != nil {
			_ = server.(*net.TCPConn).CloseWrite()
			return
		}
		token := request.Header.Get("X-Auth-Token")
		p.mutex.Lock()
		p.total++
		if request.Method == http.MethodPost && request.URL.Path == "/v3/auth/tokens" {
			p.logIns++
		}
		if request.Method == http.MethodGet && request.URL.Path == "/v3/auth/tokens" {
			p.lookUps[token]++
		}
		p.mutex.Unlock()
		asked <- token
		if _, err := raw.WriteTo(server); err != nil {
			return
		}
	}
}

// passAnswers ends when Keystone does. A request is answered with the first byte that follows it: the webhook sends the next one on the
// same connection only after the whole answer.
func (p *keystoneProxy) passAnswers(server, client net.Conn, asked <-chan string) {
	buffer := make([]byte, 32*1024)
	for {
		n, err := server.Read(buffer)
		if n > 0 {
			select {
			case token := <-asked:
				p.mutex.Lock()
				p.answered[token]++
				p.mutex.Unlock()
			default:
			}
			if _, err := client.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// calls is how many requests the webhook has made.
func (p *keystoneProxy) calls() int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.total
}

// logInsSoFar is how many tokens Keystone was asked for.
func (p *keystoneProxy) logInsSoFar() int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.logIns
}

// lookUpsOf is how often Keystone was asked to validate each token, answered or not.
func (p *keystoneProxy) lookUpsOf() map[string]int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return maps.Clone(p.lookUps)
}

// answeredTo is how many requests that carried this token Keystone has answered: a token validates itself.
func (p *keystoneProxy) answeredTo(token string) int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.answered[token]
}
