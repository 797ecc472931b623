package wholebody_test

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

var keys = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
})

// network is a server and the connections to it, in memory and so in the virtual
// time of a synctest bubble.
type network struct {
	lateness time.Duration // by which a client's write returns after its bytes arrived
	silent   bool          // whether dialled connections, once used, write nothing more
	dialled  atomic.Int64
	writes   atomic.Int64 // by clients

	accept chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// client is the SDK's own, dialling this network.
func (n *network) client() aws.HTTPClient {
	return awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.DialContext = n.dial })
}

// serve answers requests until the test ends.
func serve(t *testing.T, handler http.Handler) *network {
	t.Helper()
	n := &network{accept: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- server.Serve(n) }()
	t.Cleanup(func() {
		if err := server.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		<-served
	})
	return n
}

func (n *network) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case n.accept <- theirs:
	case <-n.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	n.dialled.Add(1)
	return &conn{Conn: ours, network: n}, nil
}

// Accept, Close and Addr make it a net.Listener.
func (n *network) Accept() (net.Conn, error) {
	select {
	case c := <-n.accept:
		return c, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

func (n *network) Close() error {
	n.once.Do(func() { close(n.closed) })
	return nil
}

func (n *network) Addr() net.Addr { return address{} }

type address struct{}

func (address) Network() string { return "memory" }
func (address) String() string  { return "memory" }

// conn is the client's side of a connection.
type conn struct {
	net.Conn
	network *network
	answers atomic.Int64
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.answers.Add(1)
	return n, err
}

func (c *conn) Write(p []byte) (int, error) {
	if c.network.silent && c.answers.Load() > 0 {
		return 0, net.ErrClosed
	}
	c.network.writes.Add(1)
	n, err := c.Conn.Write(p)
	if c.network.lateness > 0 {
		time.Sleep(c.network.lateness)
	}
	return n, err
}
