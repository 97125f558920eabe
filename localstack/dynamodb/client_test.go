package dynamodb

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

// newClient returns the real SDK's client of a fresh service behind a real
// HTTP server.
func newClient(t testing.TB, o Options) (*sdk.Client, *Service) {
	t.Helper()
	s := New(o)
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		server.Close()
		s.Close()
	})
	return sdkClient(server.URL, server.Client()), s
}

// newDirectClient is newClient without a network, for tests inside a synctest
// bubble, where a socket would never become idle.
func newDirectClient(t testing.TB, o Options) (*sdk.Client, *Service) {
	t.Helper()
	s := New(o)
	t.Cleanup(s.Close)
	return sdkClient("http://dynamodb.test", direct{s}), s
}

type direct struct{ handler http.Handler }

func (d direct) Do(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	return w.Result(), nil
}

func sdkClient(url string, client aws.HTTPClient) *sdk.Client {
	return sdk.New(sdk.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(url),
		Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
		HTTPClient:   client,
		Retryer:      aws.NopRetryer{},
	})
}

// Short forms of the SDK's values.
func S(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func N(n string) types.AttributeValue { return &types.AttributeValueMemberN{Value: n} }
func B(b string) types.AttributeValue { return &types.AttributeValueMemberB{Value: []byte(b)} }
func L(l ...types.AttributeValue) types.AttributeValue {
	return &types.AttributeValueMemberL{Value: l}
}
func M(m attrs) types.AttributeValue      { return &types.AttributeValueMemberM{Value: m} }
func SS(s ...string) types.AttributeValue { return &types.AttributeValueMemberSS{Value: s} }
func NS(s ...string) types.AttributeValue { return &types.AttributeValueMemberNS{Value: s} }

type attrs = map[string]types.AttributeValue

// key is that of the tables that createTable makes with two key attributes.
func key(pk, sk string) attrs { return attrs{"pk": S(pk), "sk": S(sk)} }

// createTable makes an on-demand table. A key is given as "name:type".
func createTable(t testing.TB, c *sdk.Client, name string, keys ...string) {
	t.Helper()
	in := &sdk.CreateTableInput{TableName: &name, BillingMode: types.BillingModePayPerRequest}
	in.KeySchema, in.AttributeDefinitions = schema(keys...)
	if _, err := c.CreateTable(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

func schema(keys ...string) (elements []types.KeySchemaElement, definitions []types.AttributeDefinition) {
	for i, k := range keys {
		name, typ, _ := strings.Cut(k, ":")
		elements = append(elements, types.KeySchemaElement{
			AttributeName: &name, KeyType: []types.KeyType{types.KeyTypeHash, types.KeyTypeRange}[i],
		})
		definitions = append(definitions, types.AttributeDefinition{
			AttributeName: &name, AttributeType: types.ScalarAttributeType(typ),
		})
	}
	return elements, definitions
}

func put(t testing.TB, c *sdk.Client, table string, it attrs) {
	t.Helper()
	if _, err := c.PutItem(t.Context(), &sdk.PutItemInput{TableName: &table, Item: it}); err != nil {
		t.Fatal(err)
	}
}

func get1(t testing.TB, c *sdk.Client, table string, key attrs) attrs {
	t.Helper()
	out, err := c.GetItem(t.Context(), &sdk.GetItemInput{TableName: &table, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	return out.Item
}

// text shows an item in the canonical form, sets in the order they are in.
func text(a attrs) string {
	it := make(item, len(a))
	for name, v := range a {
		it[name] = fromSDK(v)
	}
	b, _ := it.MarshalJSON()
	return string(b)
}

func fromSDK(v types.AttributeValue) value {
	many := func(k kind, members []string) value {
		out := value{kind: k}
		for _, m := range members {
			out.list = append(out.list, value{kind: k.member(), text: m})
		}
		return out
	}
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return value{kind: kindS, text: v.Value}
	case *types.AttributeValueMemberN:
		return value{kind: kindN, text: v.Value}
	case *types.AttributeValueMemberB:
		return value{kind: kindB, text: string(v.Value)}
	case *types.AttributeValueMemberBOOL:
		return value{kind: kindBool, flag: v.Value}
	case *types.AttributeValueMemberNULL:
		return value{kind: kindNull}
	case *types.AttributeValueMemberSS:
		return many(kindSS, v.Value)
	case *types.AttributeValueMemberNS:
		return many(kindNS, v.Value)
	case *types.AttributeValueMemberL:
		out := value{kind: kindL}
		for _, w := range v.Value {
			out.list = append(out.list, fromSDK(w))
		}
		return out
	case *types.AttributeValueMemberM:
		out := value{kind: kindM, m: map[string]value{}}
		for name, w := range v.Value {
			out.m[name] = fromSDK(w)
		}
		return out
	}
	return value{}
}

// wantError checks code and a part of the message; code "" wants success.
func wantError(t testing.TB, err error, code, message string) {
	t.Helper()
	if code == "" {
		if err != nil {
			t.Errorf("error = %v, want none", err)
		}
		return
	}
	apiError, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		t.Errorf("error = %v, want %s", err, code)
		return
	}
	if apiError.ErrorCode() != code || !strings.Contains(apiError.ErrorMessage(), message) {
		t.Errorf("error = %s: %s\nwant    %s: …%s…", apiError.ErrorCode(), apiError.ErrorMessage(), code, message)
	}
}
