package dynamodb

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// sortKeys shows the answer's sort keys, joined.
func sortKeys(items []map[string]types.AttributeValue) string {
	keys := make([]string, len(items))
	for i, it := range items {
		keys[i] = fromSDK(it["sk"]).text
	}
	return strings.Join(keys, " ")
}

// [BOTO:dynamodb Query KeyConditionExpression].
func TestKeyConditions(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "rows", "pk:S", "sk:S")
	for _, sk := range []string{"a", "a\x00", "ab", "b", "b/1", "b/2", "c"} {
		put(t, c, "rows", key("p", sk))
		put(t, c, "rows", key("other", sk))
	}
	tests := []struct {
		condition string
		values    attrs
		want      string
	}{
		{"pk = :p", attrs{}, "a a\x00 ab b b/1 b/2 c"},
		{"pk = :p AND sk = :v", attrs{":v": S("a")}, "a"},
		{"sk = :v AND pk = :p", attrs{":v": S("a\x00")}, "a\x00"},
		{"pk = :p AND sk < :v", attrs{":v": S("ab")}, "a a\x00"},
		{"pk = :p AND sk <= :v", attrs{":v": S("ab")}, "a a\x00 ab"},
		{"pk = :p AND sk > :v", attrs{":v": S("a")}, "a\x00 ab b b/1 b/2 c"},
		{"pk = :p AND sk >= :v", attrs{":v": S("b/2")}, "b/2 c"},
		{"pk = :p AND :v < sk", attrs{":v": S("b/1")}, "b/2 c"},
		{"pk = :p AND sk BETWEEN :v AND :w", attrs{":v": S("ab"), ":w": S("b/1")}, "ab b b/1"},
		{"pk = :p AND begins_with(sk, :v)", attrs{":v": S("b/")}, "b/1 b/2"},
		{"(pk = :p) AND (begins_with(sk, :v))", attrs{":v": S("zz")}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.condition, func(t *testing.T) {
			tt.values[":p"] = S("p")
			in := &sdk.QueryInput{TableName: aws.String("rows"), KeyConditionExpression: &tt.condition, ExpressionAttributeValues: tt.values}
			out, err := c.Query(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if got := sortKeys(out.Items); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			in.ScanIndexForward = aws.Bool(false)
			out, err = c.Query(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			slices.Reverse(out.Items)
			if got := sortKeys(out.Items); got != tt.want {
				t.Errorf("backward, reversed: got %q, want %q", got, tt.want)
			}
		})
	}
}

// [BOTO:dynamodb Query].
func TestQueriesRefusedAsAWSDoes(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "rows", "pk:S", "sk:S")
	tests := []struct{ condition, filter, want string }{
		{"sk = :s", "", "Query condition missed key schema element: pk"},
		{"pk > :s", "", "Query key condition not supported"},
		{"pk = :n", "", "Condition parameter type does not match schema type"},
		{"pk = :s AND pk = :s", "", "KeyConditionExpressions must only contain one condition per key"},
		{"pk = :s OR sk = :s", "", "Invalid operator used in KeyConditionExpression: OR"},
		{"pk = :s AND contains(sk, :s)", "", "Invalid operator used in KeyConditionExpression: contains"},
		{"pk = :s AND other1 = :s", "", "Query condition missed key schema element: sk"},
		{"pk = :s AND sk.x = :s", "", "KeyConditionExpressions cannot have conditions on nested attributes"},
		{"pk = :empty", "", "cannot contain an empty string value. Key: pk"},
		{"pk = :s", "sk = :s", "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk"},
	}
	for _, tt := range tests {
		t.Run(tt.condition, func(t *testing.T) {
			all := attrs{":s": S("x"), ":n": N("1"), ":empty": S("")}
			values := attrs{}
			for alias, v := range all {
				if strings.Contains(tt.condition+tt.filter, alias) {
					values[alias] = v
				}
			}
			in := &sdk.QueryInput{TableName: aws.String("rows"), KeyConditionExpression: &tt.condition, ExpressionAttributeValues: values}
			if tt.filter != "" {
				in.FilterExpression = &tt.filter
			}
			_, err := c.Query(t.Context(), in)
			wantError(t, err, "ValidationException", tt.want)
		})
	}
}

// TestQueryOrderEqualsASortedReference is a property: for random sort keys of
// each type, paging through a partition gives what sorting them gives.
func TestQueryOrderEqualsASortedReference(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	randomBytes := func() string {
		b := make([]byte, random.IntN(4)+1)
		for i := range b {
			b[i] = "\x00\x01\x02a\xFE\xFF"[random.IntN(6)]
		}
		return string(b)
	}
	kinds := map[string]struct {
		next    func() types.AttributeValue
		compare func(a, b value) int
	}{
		"S": {func() types.AttributeValue { return S(strings.ToValidUTF8(randomBytes(), "é")) },
			func(a, b value) int { return cmp.Compare(a.text, b.text) }},
		"B": {func() types.AttributeValue { return B(randomBytes()) },
			func(a, b value) int { return cmp.Compare(a.text, b.text) }},
		"N": {func() types.AttributeValue {
			return N(strconv.FormatFloat((random.Float64()-0.5)*float64(int(1)<<random.IntN(40)), 'f', random.IntN(6), 64))
		}, func(a, b value) int {
			x, _ := strconv.ParseFloat(a.text, 64)
			y, _ := strconv.ParseFloat(b.text, 64)
			return cmp.Compare(x, y)
		}},
	}
	for kind, k := range kinds {
		t.Run(kind, func(t *testing.T) {
			c, _ := newDirectClient(t, Options{})
			createTable(t, c, "rows", "pk:S", "sk:"+kind)
			reference := map[string]value{}
			for range 400 { // more than one chunk
				sk := k.next()
				put(t, c, "rows", attrs{"pk": S("p"), "sk": sk})
				v := fromSDK(sk)
				v.text = canonical(v)
				reference[v.text] = v
			}
			var want []value
			for _, v := range reference {
				want = append(want, v)
			}
			slices.SortFunc(want, k.compare)
			for _, forward := range []bool{true, false} {
				got := pageThrough(t, c, forward)
				if !forward {
					slices.Reverse(got)
				}
				if !slices.EqualFunc(got, want, value.equal) {
					t.Errorf("forward %v: %d rows are not in the order of their keys (want %d)", forward, len(got), len(want))
				}
			}
		})
	}
}

func canonical(v value) string {
	if v.kind != kindN {
		return v.text
	}
	return mustDecimal(v.text).String()
}

func pageThrough(t *testing.T, c *sdk.Client, forward bool) []value {
	t.Helper()
	var got []value
	pages := sdk.NewQueryPaginator(c, &sdk.QueryInput{
		TableName: aws.String("rows"), KeyConditionExpression: aws.String("pk = :p"), Limit: aws.Int32(37),
		ExpressionAttributeValues: attrs{":p": S("p")}, ScanIndexForward: &forward,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range page.Items {
			got = append(got, fromSDK(it["sk"]))
		}
	}
	return got
}

// [BOTO:dynamodb Query Limit, FilterExpression].
func TestLimitCountsBeforeTheFilter(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "rows", "pk:S", "sk:N")
	for i := range 10 {
		put(t, c, "rows", attrs{"pk": S("p"), "sk": N(strconv.Itoa(i)), "odd": N(strconv.Itoa(i % 2))})
	}
	out, err := c.Query(t.Context(), &sdk.QueryInput{
		TableName: aws.String("rows"), KeyConditionExpression: aws.String("pk = :p"), FilterExpression: aws.String("odd = :one"),
		ExpressionAttributeValues: attrs{":p": S("p"), ":one": N("1")}, Limit: aws.Int32(5),
	})
	if err != nil {
		t.Fatal(err)
	}
	if out.Count != 2 || out.ScannedCount != 5 || sortKeys(out.Items) != "1 3" {
		t.Errorf("count %d, scanned %d, keys %s; want 2, 5, 1 3", out.Count, out.ScannedCount, sortKeys(out.Items))
	}
	if got, want := text(out.LastEvaluatedKey), `{"pk":{"S":"p"},"sk":{"N":"4"}}`; got != want {
		t.Errorf("LastEvaluatedKey = %s, want %s", got, want)
	}
}

// [WEB:Query.Pagination].
func TestPageEndsAtOneMegabyteBeforeTheFilter(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "rows", "pk:S", "sk:N")
	big := strings.Repeat("x", 300<<10)
	for i := range 8 {
		put(t, c, "rows", attrs{"pk": S("p"), "sk": N(strconv.Itoa(i)), "x": S(big)})
	}
	out, err := c.Query(t.Context(), &sdk.QueryInput{
		TableName: aws.String("rows"), KeyConditionExpression: aws.String("pk = :p"), FilterExpression: aws.String("attribute_not_exists(x)"),
		ExpressionAttributeValues: attrs{":p": S("p")}, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal, ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		t.Fatal(err)
	}
	if out.Count != 0 || out.ScannedCount != 4 || out.LastEvaluatedKey == nil {
		t.Errorf("count %d, scanned %d, last key %v; want an empty page that read 4", out.Count, out.ScannedCount, out.LastEvaluatedKey)
	}
	if got := *out.ConsumedCapacity.CapacityUnits; got != 301 { // 4 × (300 KB + 9 bytes), rounded once
		t.Errorf("consumed %v units, want 301", got)
	}
}

func TestCountReturnsNoItems(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "rows", "pk:S", "sk:S")
	put(t, c, "rows", key("p", "a"))
	out, err := c.Query(t.Context(), &sdk.QueryInput{
		TableName: aws.String("rows"), KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: attrs{":p": S("p")}, Select: types.SelectCount,
	})
	if err != nil || out.Count != 1 || out.Items != nil {
		t.Errorf("count %d, items %v, %v; want 1 and none", out.Count, out.Items, err)
	}
}

func TestStartKeyMustFit(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "rows", "pk:S", "sk:S")
	for want, start := range map[string]attrs{
		"The provided starting key is invalid":                  {"pk": S("p")},
		"The provided starting key is outside query boundaries": key("q", "a"),
	} {
		_, err := c.Query(t.Context(), &sdk.QueryInput{
			TableName: aws.String("rows"), KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: attrs{":p": S("p")}, ExclusiveStartKey: start,
		})
		wantError(t, err, "ValidationException", want)
	}
}

// [WEB:Scan parallel scan].
func TestScanSegmentsShareTheTable(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "rows", "pk:S", "sk:S")
	for i := range 200 {
		put(t, c, "rows", key(fmt.Sprint("p", i), "a"))
	}
	for _, total := range []int32{1, 3, 4} {
		seen := map[string]int{}
		for segment := range total {
			pages := sdk.NewScanPaginator(c, &sdk.ScanInput{
				TableName: aws.String("rows"), Segment: &segment, TotalSegments: &total, Limit: aws.Int32(7),
			})
			inSegment := 0
			for pages.HasMorePages() {
				page, err := pages.NextPage(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, it := range page.Items {
					seen[text(it)]++
					inSegment++
				}
			}
			if inSegment < 100/int(total) {
				t.Errorf("segment %d of %d has only %d of 200 rows", segment, total, inSegment)
			}
		}
		if len(seen) != 200 {
			t.Errorf("%d segments saw %d rows, want each of 200 once", total, len(seen))
		}
	}
}

// TestSortedMap holds the chunks against a plain map under random changes.
func TestSortedMap(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var m sortedMap
	reference := map[string]*row{}
	for range 20_000 {
		k := strconv.Itoa(random.IntN(3000))
		if random.IntN(3) == 0 {
			m.delete(k)
			delete(reference, k)
			continue
		}
		r := &row{}
		m.set(k, r)
		reference[k] = r
	}
	if m.count != len(reference) {
		t.Fatalf("count = %d, want %d", m.count, len(reference))
	}
	want := []string{}
	for k, r := range reference {
		if m.get(k) != r {
			t.Fatalf("get(%s) is not the row that was set last", k)
		}
		if k >= "1" && k < "2" {
			want = append(want, k)
		}
	}
	slices.Sort(want)
	r := keyRange{"1", "2"}
	up, down := []string{}, []string{}
	for e := range m.ascend(r) {
		up = append(up, e.key)
	}
	for e := range m.descend(r) {
		down = append(down, e.key)
	}
	slices.Reverse(down)
	if !slices.Equal(up, want) || !slices.Equal(down, want) {
		t.Errorf("a range of %d keys gave %d upward and %d downward", len(want), len(up), len(down))
	}
}
