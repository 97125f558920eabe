package dynamodb

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const total = types.ReturnConsumedCapacityTotal

// sized is an item of exactly n bytes: names take 2+2+1, the keys 1+1.
func sized(sk string, n int) attrs {
	return attrs{"pk": S("p"), "sk": S(sk), "x": S(strings.Repeat("x", n-7))}
}

// [WEB:read-write-operations]; transactions cost twice.
func TestReadsAreRoundedUpTo4KB(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "one", "pk:S", "sk:S")
	put(t, c, "one", sized("a", 4096))
	put(t, c, "one", sized("b", 4097))
	tests := []struct {
		name       string
		sk         string
		consistent bool
		want       float64
	}{
		{"4 KB strong", "a", true, 1},
		{"4 KB eventual", "a", false, 0.5},
		{"one byte more, strong", "b", true, 2},
		{"one byte more, eventual", "b", false, 1},
		{"no item, strong", "z", true, 1},
		{"no item, eventual", "z", false, 0.5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := c.GetItem(t.Context(), &sdk.GetItemInput{
				TableName: aws.String("one"), Key: key("p", tt.sk), ConsistentRead: &tt.consistent, ReturnConsumedCapacity: total,
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := *out.ConsumedCapacity.CapacityUnits; got != tt.want {
				t.Errorf("consumed %v, want %v", got, tt.want)
			}
		})
	}
}

// The sum is rounded, not each item [WEB:read-write-operations].
func TestAQueryRoundsItsSumOnce(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "one", "pk:S", "sk:S")
	for _, sk := range strings.Split("abcdefghij", "") {
		put(t, c, "one", sized(sk, 1000))
	}
	for condition, want := range map[string]float64{"pk = :p": 1.5, "pk = :p AND sk > :p": 0.5} { // 10,000 bytes; nothing
		out, err := c.Query(t.Context(), &sdk.QueryInput{
			TableName: aws.String("one"), KeyConditionExpression: &condition, ExpressionAttributeValues: attrs{":p": S("p")}, ReturnConsumedCapacity: total,
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := *out.ConsumedCapacity.CapacityUnits; got != want {
			t.Errorf("%s consumed %v, want %v", condition, got, want)
		}
	}
}

// [WEB:read-write-operations].
func TestWritesCostTheLargerOfOldAndNew(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "one", "pk:S", "sk:S")
	for _, step := range []struct {
		bytes int
		want  float64
	}{{1024, 1}, {1025, 2}, {3000, 3}, {100, 3}, {100, 1}} {
		out, err := c.PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String("one"), Item: sized("a", step.bytes), ReturnConsumedCapacity: total})
		if err != nil {
			t.Fatal(err)
		}
		if got := *out.ConsumedCapacity.CapacityUnits; got != step.want {
			t.Errorf("put of %d bytes consumed %v, want %v", step.bytes, got, step.want)
		}
	}
	for range 2 { // the second deletes nothing
		out, err := c.DeleteItem(t.Context(), &sdk.DeleteItemInput{TableName: aws.String("one"), Key: key("p", "a"), ReturnConsumedCapacity: total})
		if err != nil || *out.ConsumedCapacity.CapacityUnits != 1 {
			t.Errorf("delete consumed %v, %v; want 1", out.ConsumedCapacity, err)
		}
	}
}

// usersByMail is a table with a global secondary index that projects name1 only.
func usersByMail(t *testing.T) *sdk.Client {
	t.Helper()
	c, _ := newClient(t, Options{})
	in := &sdk.CreateTableInput{TableName: aws.String("users"), BillingMode: types.BillingModePayPerRequest}
	in.KeySchema, in.AttributeDefinitions = schema("pk:S")
	keys, definitions := schema("mail:S", "age:N")
	in.AttributeDefinitions = append(in.AttributeDefinitions, definitions...)
	in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{{
		IndexName: aws.String("by-mail"), KeySchema: keys,
		Projection: &types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: []string{"name1"}},
	}}
	if _, err := c.CreateTable(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	return c
}

// Eventually consistent only, and sparse [WEB:GSI].
func TestGlobalSecondaryIndex(t *testing.T) {
	c := usersByMail(t)
	user := func(pk, mail, age string) attrs {
		return attrs{"pk": S(pk), "mail": S(mail), "age": N(age), "name1": S("N" + pk), "secret": S("x")}
	}
	for _, it := range []attrs{user("1", "a@x", "10"), user("2", "a@x", "9"), user("3", "a@x", "9"), user("4", "b@x", "9"), {"pk": S("5"), "mail": S("a@x")}} {
		put(t, c, "users", it)
	}
	in := &sdk.QueryInput{
		TableName: aws.String("users"), IndexName: aws.String("by-mail"), KeyConditionExpression: aws.String("mail = :m"),
		ExpressionAttributeValues: attrs{":m": S("a@x")}, Limit: aws.Int32(1), ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes,
	}
	var got []string
	for pages := sdk.NewQueryPaginator(c, in); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range page.Items {
			got = append(got, text(it))
		}
		if units := page.ConsumedCapacity.GlobalSecondaryIndexes["by-mail"]; *units.CapacityUnits != 0.5 || *page.ConsumedCapacity.Table.CapacityUnits != 0 {
			t.Errorf("consumed %+v, want 0.5 of the index alone", page.ConsumedCapacity)
		}
	}
	want := []string{
		`{"age":{"N":"9"},"mail":{"S":"a@x"},"name1":{"S":"N2"},"pk":{"S":"2"}}`,
		`{"age":{"N":"9"},"mail":{"S":"a@x"},"name1":{"S":"N3"},"pk":{"S":"3"}}`,
		`{"age":{"N":"10"},"mail":{"S":"a@x"},"name1":{"S":"N1"},"pk":{"S":"1"}}`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") && strings.Join(got, "\n") != strings.Join([]string{want[1], want[0], want[2]}, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	in.ConsistentRead = aws.Bool(true)
	_, err := c.Query(t.Context(), in)
	wantError(t, err, "ValidationException", "Consistent reads are not supported on global secondary indexes")
}

// One write to add or remove, two to move an entry [WEB:GSI].
func TestIndexWritesAreBilledWhereTheyHappen(t *testing.T) {
	c := usersByMail(t)
	steps := []struct {
		name  string
		item  attrs
		index float64
	}{
		{"enters the index", attrs{"pk": S("1"), "mail": S("a@x"), "age": N("1")}, 1},
		{"changes what is not projected", attrs{"pk": S("1"), "mail": S("a@x"), "age": N("1"), "secret": S("x")}, 0},
		{"changes what is projected", attrs{"pk": S("1"), "mail": S("a@x"), "age": N("1"), "name1": S("x")}, 1},
		{"moves within the index", attrs{"pk": S("1"), "mail": S("b@x"), "age": N("1")}, 2},
		{"leaves the index", attrs{"pk": S("1")}, 1},
	}
	for _, step := range steps {
		out, err := c.PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String("users"), Item: step.item, ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes})
		if err != nil {
			t.Fatal(err)
		}
		got := 0.0
		if units, ok := out.ConsumedCapacity.GlobalSecondaryIndexes["by-mail"]; ok {
			got = *units.CapacityUnits
		}
		if got != step.index || *out.ConsumedCapacity.CapacityUnits != 1+step.index {
			t.Errorf("%s: index %v, all %v; want %v and the table's 1", step.name, got, *out.ConsumedCapacity.CapacityUnits, step.index)
		}
	}
	_, err := c.PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String("users"), Item: attrs{"pk": S("1"), "mail": N("1")}})
	wantError(t, err, "ValidationException", "Type mismatch for Index Key mail Expected: S Actual: N IndexName: by-mail")
}

// [WEB:CapacityUnitCalculations].
func TestItemSizes(t *testing.T) {
	tests := map[string]int{
		`{"pk": {"S": "é"}}`:                                    4,
		`{"b": {"B": "AAAA"}}`:                                  4,
		`{"t": {"BOOL": true}, "n": {"NULL": true}}`:            4,
		`{"l": {"L": [{"S": "ab"}, {"BOOL": false}]}}`:          1 + 3 + 2 + 3,
		`{"m": {"M": {"k": {"S": "ab"}}}}`:                      1 + 3 + 1 + 3,
		`{"s": {"SS": ["ab", "c"]}, "n": {"NS": ["12", "-3"]}}`: 1 + 3 + 1 + 2 + 3,
	}
	for src, want := range tests {
		if got := parseItem(t, src).size(); got != want {
			t.Errorf("%s = %d bytes, want %d", src, got, want)
		}
	}
}
