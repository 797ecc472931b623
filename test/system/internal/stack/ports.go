package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
	"time"
)

// Port is an address that a process will listen on.
type Port struct {
	Variable string // the environment variable that sets it
	Owner    string // the process
	Addr     string // host:port; port 0 stands for any free one
}

// dialTimeout bounds the look whether somebody answers at a port.
const dialTimeout = 500 * time.Millisecond

// Reserve checks that every port is free, and gives each port 0 a free one. The
// error names each one that is not, and what to do about it. Nothing stays
// open, so that another process may still take a port before its owner does.
func Reserve(ctx context.Context, ports []Port) ([]Port, error) {
	var problems []error
	var held []net.Listener
	taken := map[string]Port{}
	reserved := make([]Port, 0, len(ports))
	for _, p := range ports {
		listener, err := listen(ctx, p.Addr)
		other, ours := taken[p.Addr]
		switch {
		case ours && errors.Is(err, syscall.EADDRINUSE):
			problems = append(problems, fmt.Errorf("%s %s is %s's address too; set one of them to another port", p.Variable, p.Addr, other.Variable))
		case errors.Is(err, syscall.EADDRINUSE):
			problems = append(problems, fmt.Errorf("%s %s is in use: stop what listens there, or give %s another port, as in %s=127.0.0.1:18081", p.Variable, p.Addr, p.Owner, p.Variable))
		case err != nil:
			problems = append(problems, fmt.Errorf("%s %q: %w; want host:port, as in 127.0.0.1:8081", p.Variable, p.Addr, err))
		default:
			held = append(held, listener)
			taken[listener.Addr().String()] = p
			p.Addr = withPort(p.Addr, listener)
			taken[p.Addr] = p
		}
		reserved = append(reserved, p)
	}
	for _, l := range held {
		problems = append(problems, l.Close())
	}
	return reserved, errors.Join(problems...)
}

// withPort returns the address with the listener's port in figures. Its host
// stays as it was given: a listener names every address of the machine [::],
// whichever way one asked for them.
func withPort(addr string, listener net.Listener) string {
	host, _, err := net.SplitHostPort(addr)
	if tcp, ok := listener.Addr().(*net.TCPAddr); ok && err == nil {
		return net.JoinHostPort(host, strconv.Itoa(tcp.Port))
	}
	return addr
}

// listen opens the address. Where somebody listens on every address of the
// machine, some systems would let us take one of them: whoever answers there is
// found by calling.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if host == "" {
		return nil, errors.New("there is no host")
	}
	if port != "0" {
		dialer := net.Dialer{Timeout: dialTimeout}
		if c, err := dialer.DialContext(ctx, "tcp", addr); err == nil {
			return nil, errors.Join(syscall.EADDRINUSE, c.Close())
		}
	}
	var config net.ListenConfig
	return config.Listen(ctx, "tcp", addr)
}
