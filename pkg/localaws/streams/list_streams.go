package streams

import "github.com/tributary-dev/tributary/pkg/localaws/wire"

type listStreamsInput struct {
	ExclusiveStartStreamArn string
	Limit                   *int
	TableName               string
}

type streamSummary struct {
	StreamArn   string
	StreamLabel string
	TableName   string
}

type listStreamsOutput struct {
	Streams                []streamSummary
	LastEvaluatedStreamArn string `json:",omitempty"`
}

func (s *Service) listStreams(body []byte) (any, error) {
	var in listStreamsInput
	if err := wire.Decode(codeValidation, body, &in); err != nil {
		return nil, err
	}
	limit, err := limitOf(in.Limit, 100)
	if err != nil {
		return nil, err
	}
	out := listStreamsOutput{Streams: []streamSummary{}}
	for _, st := range s.all() {
		if (in.TableName != "" && st.table != in.TableName) || st.arn <= in.ExclusiveStartStreamArn {
			continue
		}
		if len(out.Streams) == limit {
			out.LastEvaluatedStreamArn = out.Streams[limit-1].StreamArn
			break
		}
		out.Streams = append(out.Streams, streamSummary{StreamArn: st.arn, StreamLabel: st.label, TableName: st.table})
	}
	return out, nil
}
