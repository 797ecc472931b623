package app

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// silentGrace is what a connection that has brought no request gets to bring
// one once the service stops.
const silentGrace = 500 * time.Millisecond

// silent are the connections that have not brought a request yet. Clients open
// some to spare: one that frees meanwhile is used instead. Shutdown waits five
// seconds for each (net/http, Server.Shutdown), and would report a connection
// that nobody uses as a request that was cut off. It is safe for concurrent use.
type silent struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

// note is the server's ConnState.
func (s *silent) note(conn net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if state != http.StateNew {
		delete(s.conns, conn)
		return
	}
	if s.conns == nil {
		s.conns = make(map[net.Conn]struct{})
	}
	s.conns[conn] = struct{}{}
}

// close ends those that are silent still.
func (s *silent) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.conns {
		_ = conn.Close() // nobody has said anything on it that could be lost
	}
}
