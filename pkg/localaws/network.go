package localaws

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// drainTimeout bounds how long Serve waits for the last answers. What is still
// open then is a client that has not sent its request, or not all of it.
const drainTimeout = 500 * time.Millisecond

// Listen opens a TCP listener on a loopback address, such as 127.0.0.1:4566,
// [::1]:4566 or localhost:0. Every other address is refused, also an empty
// host and 0.0.0.0: the engine has no security of its own. A port that is
// taken is reported by its number.
func Listen(ctx context.Context, addr string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w (write host:port, for example 127.0.0.1:4566)", addr, err)
	}
	ip, err := loopback(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w", addr, err)
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", net.JoinHostPort(ip.String(), port))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("listen on %q: port %s is in use by another process; stop it or choose another port: %w", addr, port, err)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w", addr, err)
	}
	return listener, nil
}

// loopback returns the host's address if all its addresses are loopback ones.
func loopback(ctx context.Context, host string) (netip.Addr, error) {
	const advice = "localaws listens on loopback addresses only; use 127.0.0.1"
	if host == "" {
		return netip.Addr{}, fmt.Errorf("an empty host means every address: %s", advice)
	}
	addresses := []netip.Addr{}
	if ip, err := netip.ParseAddr(host); err == nil {
		addresses = append(addresses, ip)
	} else if addresses, err = net.DefaultResolver.LookupNetIP(ctx, "ip", host); err != nil {
		return netip.Addr{}, fmt.Errorf("host %q does not resolve: %w; %s", host, err, advice)
	}
	chosen := addresses[0]
	for _, ip := range addresses {
		if !ip.Unmap().IsLoopback() {
			return netip.Addr{}, fmt.Errorf("host %q is %s: %s", host, ip, advice)
		}
		if ip.Unmap().Is4() {
			chosen = ip.Unmap() // clients try IPv4 first where they have both
		}
	}
	return chosen, nil
}

// Serve answers requests on a listener until the context ends; then it ends
// long polls, waits a moment for the last answers, closes every connection and
// returns when nothing serves one any more. It refuses a listener that is not
// on a loopback address. It returns nil after the context ended.
func (e *Engine) Serve(ctx context.Context, listener net.Listener) error {
	bound, ok := listener.Addr().(*net.TCPAddr)
	if !ok || !bound.IP.IsLoopback() {
		return errors.Join(fmt.Errorf("serve on %s: localaws serves loopback addresses only", listener.Addr()), listener.Close())
	}
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var connections sync.WaitGroup
	server := &http.Server{
		Handler: e,
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew: // before Serve returns
				connections.Add(1)
			case http.StateClosed:
				connections.Done()
			}
		},
		BaseContext:       func(net.Listener) context.Context { return base },
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		cancel()
		err = errors.Join(fmt.Errorf("serve on %s: %w", listener.Addr(), err), server.Close())
		connections.Wait()
		return err
	case <-ctx.Done():
	}
	cancel()
	drain, stop := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer stop()
	err := server.Shutdown(drain)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	<-served
	connections.Wait()
	if err != nil {
		return fmt.Errorf("close the connections to %s: %w", listener.Addr(), err)
	}
	return nil
}
