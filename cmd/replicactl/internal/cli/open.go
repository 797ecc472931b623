package cli

import (
	"context"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/trouble"
)

// open reaches AWS for a verb, which says what it needs which right for. What
// fails then is told when the verb ends, see wordsOf.
func open(ctx context.Context, needs ...trouble.Need) (connect.Clients, error) {
	clients, err := connect.Open(ctx)
	if err != nil {
		return connect.Clients{}, err
	}
	clients = trouble.Watched(clients, needs...)
	return clients, trouble.Credentials(ctx, clients)
}
