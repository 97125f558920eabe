package scale

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"fanfare/shared/store"
)

// meter adds up what the Queries of a store cost, and the bytes of the items
// that they returned.
type meter struct {
	store.API
	mu         sync.Mutex
	units      float64
	bytes      int
	partitions map[string]bool
}

func (m *meter) Query(ctx context.Context, in *dynamodb.QueryInput, o ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	in.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	out, err := m.API.Query(ctx, in, o...)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.units += *out.ConsumedCapacity.CapacityUnits
	for _, it := range out.Items {
		m.bytes += sizeOf(it)
	}
	if m.partitions == nil {
		m.partitions = map[string]bool{}
	}
	if pk, ok := in.ExpressionAttributeValues[":pk"].(*types.AttributeValueMemberS); ok {
		m.partitions[pk.Value] = true
	}
	return out, nil
}

// perByte is the units, but one a shard, over those that the bytes would be
// read in at once.
func (m *meter) perByte() float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return (m.units - float64(len(m.partitions))) / (float64(m.bytes) / 4096)
}

// sizeOf is an item's size by DynamoDB's rules, of the types that memberships
// have: names and texts count their bytes, numbers about a byte for two digits.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func sizeOf(it map[string]types.AttributeValue) (n int) {
	for name, v := range it {
		n += len(name)
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			n += len(v.Value)
		case *types.AttributeValueMemberN:
			n += (len(v.Value)+1)/2 + 1
		}
	}
	return n
}
