package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// needs is what has to exist for the relay to do its work.
type needs struct {
	database    *dynamodb.Client
	topics      *sns.Client
	queues      *sqs.Client
	publication manifest.Publication
	underLambda bool // which keeps the place in the stream itself
	logger      *slog.Logger
}

// errLacking ends what an operator reads about something missing.
var errLacking = errors.New("create it with `replicactl bootstrap --apply`, or with Terraform on AWS")

// need is one thing that has to exist. look says what it lacks, if anything, or
// why that was not to be seen.
type need struct {
	subject string
	look    func(context.Context) (lacking string, err error)
}

func (n needs) all() []need {
	p := n.publication
	all := []need{
		{"table " + p.Table, n.source},
		{"topic " + p.Topic, n.topic},
		{"dead-letter queue " + p.DeadLetterQueue, n.deadLetterQueue},
	}
	if !n.underLambda {
		all = append(all, need{"checkpoint table " + p.CheckpointTable, n.checkpoints})
	}
	return all
}

// look takes one look at everything there has to be. lacking is what no waiting
// mends, all of it: what does not exist, and what AWS refuses to tell for a
// reason that the configuration has to mend. unseen is what could not be looked
// at just now. What the program has no right to look at is taken to be there:
// the calls that matter will tell.
func (n needs) look(ctx context.Context, timeout time.Duration) (lacking, unseen error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	all := n.all()
	lacks, unknown := make([]error, len(all)), make([]error, len(all))
	var looks sync.WaitGroup
	for i, need := range all {
		looks.Go(func() {
			lacking, err := need.look(ctx)
			switch advice := adviceOn(err); {
			case denied(err):
				n.logger.WarnContext(ctx, "not checked for want of rights", "what", need.subject, "error", err)
			case advice != "":
				lacks[i] = fmt.Errorf("look at %s: %w: %s", need.subject, err, advice)
			case err != nil:
				unknown[i] = fmt.Errorf("look at %s: %w", need.subject, err)
			case lacking != "":
				lacks[i] = fmt.Errorf("%s %s: %w", need.subject, lacking, errLacking)
			}
		})
	}
	looks.Wait()
	return errors.Join(lacks...), errors.Join(unknown...)
}

const doesNotExist = "does not exist at this endpoint, account and region"

func (n needs) source(ctx context.Context) (string, error) {
	table, err := n.describe(ctx, n.publication.Table)
	if err != nil || table == nil {
		return doesNotExist, err
	}
	stream := table.StreamSpecification
	switch {
	case stream == nil || !aws.ToBool(stream.StreamEnabled):
		return "has no stream", nil
	case stream.StreamViewType != dynamodbtypes.StreamViewTypeNewAndOldImages:
		return fmt.Sprintf("has a stream of %s, and the relay needs NEW_AND_OLD_IMAGES", stream.StreamViewType), nil
	}
	return "", nil
}

func (n needs) checkpoints(ctx context.Context) (string, error) {
	table, err := n.describe(ctx, n.publication.CheckpointTable)
	if err != nil || table == nil {
		return doesNotExist, err
	}
	return "", nil
}

func (n needs) describe(ctx context.Context, table string) (*dynamodbtypes.TableDescription, error) {
	out, err := n.database.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(table)})
	if _, missing := errors.AsType[*dynamodbtypes.ResourceNotFoundException](err); missing {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return out.Table, nil
}

func (n needs) topic(ctx context.Context) (string, error) {
	if strings.HasPrefix(n.publication.Topic, "arn:") {
		_, err := n.topics.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: aws.String(n.publication.Topic)})
		if _, missing := errors.AsType[*snstypes.NotFoundException](err); missing {
			return doesNotExist, nil
		}
		return "", err
	}
	pages := sns.NewListTopicsPaginator(n.topics, &sns.ListTopicsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", err
		}
		for _, topic := range page.Topics {
			if strings.HasSuffix(aws.ToString(topic.TopicArn), ":"+n.publication.Topic) {
				return "", nil
			}
		}
	}
	return doesNotExist, nil
}

func (n needs) deadLetterQueue(ctx context.Context) (string, error) {
	queue := n.publication.DeadLetterQueue
	var err error
	if strings.Contains(queue, "://") {
		_, err = n.queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
			QueueUrl: aws.String(queue), AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameQueueArn},
		})
	} else {
		_, err = n.queues.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(queue)})
	}
	if _, missing := errors.AsType[*sqstypes.QueueDoesNotExist](err); missing {
		return doesNotExist, nil
	}
	return "", err
}
