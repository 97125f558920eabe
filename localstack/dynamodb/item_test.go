package dynamodb

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func TestEveryTypeComesBackAsItWasPut(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "types", "pk:S")
	it := attrs{
		"pk":    S("all"),
		"text":  S("snow \u2603, quote \" back\\slash, control \x01, tag <b>"),
		"bin":   B("\x00\xFF"),
		"yes":   &types.AttributeValueMemberBOOL{Value: true},
		"null":  &types.AttributeValueMemberNULL{Value: true},
		"set":   SS("b", "a"),
		"nums":  NS("3", "1"),
		"empty": S(""),
		"tree":  M(attrs{"list": L(N("1"), M(attrs{"x": L()})), "none": M(attrs{})}),
	}
	put(t, c, "types", it)
	got := get1(t, c, "types", attrs{"pk": S("all")})
	if text(got) != text(it) {
		t.Errorf("got  %s\nwant %s", text(got), text(it))
	}
}

// 38 digits, no leading or trailing zeros [WEB:HowItWorks.NamingRulesDataTypes].
func TestNumbersComeBackInCanonicalForm(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "numbers", "pk:S")
	put(t, c, "numbers", attrs{"pk": S("n"), "a": N("+007.50"), "b": N("1e3"), "c": N("-0.0"), "d": N("12345678901234567890123456789012345678")})
	got := text(get1(t, c, "numbers", attrs{"pk": S("n")}))
	want := `{"a":{"N":"7.5"},"b":{"N":"1000"},"c":{"N":"0"},"d":{"N":"12345678901234567890123456789012345678"},"pk":{"S":"n"}}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// [WEB:Constraints; BOTO:dynamodb PutItem].
func TestPutItemRefuses(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "things", "pk:S", "sk:N")
	deep := S("leaf")
	for range 33 {
		deep = L(deep)
	}
	tests := []struct {
		name string
		item attrs
		want string
	}{
		{"a missing key", attrs{"pk": S("a")}, "Missing the key sk in the item"},
		{"a key of the wrong type", attrs{"pk": S("a"), "sk": S("1")}, "Type mismatch for key sk expected: N actual: S"},
		{"an empty key string", attrs{"pk": S(""), "sk": N("1")}, "cannot contain an empty string value. Key: pk"},
		{"a partition key over 2048 bytes", attrs{"pk": S(strings.Repeat("x", 2049)), "sk": N("1")}, "Size of hashkey"},
		{"an item over 400 KB", attrs{"pk": S("a"), "sk": N("1"), "x": S(strings.Repeat("x", 400<<10))}, "Item size has exceeded the maximum allowed size"},
		{"a number with 39 digits", attrs{"pk": S("a"), "sk": N(strings.Repeat("1", 39))}, "more than 38 significant digits"},
		{"a number that is none", attrs{"pk": S("a"), "sk": N("ten")}, "cannot be converted to a numeric value: ten"},
		{"a number too large", attrs{"pk": S("a"), "sk": N("1e126")}, "Number overflow"},
		{"a number too small", attrs{"pk": S("a"), "sk": N("1e-131")}, "Number underflow"},
		{"an empty set", attrs{"pk": S("a"), "sk": N("1"), "x": SS()}, "An string set  may not be empty"},
		{"a set with duplicates", attrs{"pk": S("a"), "sk": N("1"), "x": NS("1", "1.0")}, "contains duplicates"},
		{"more than 32 levels", attrs{"pk": S("a"), "sk": N("1"), "x": deep}, "Nesting Levels have exceeded supported limits"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := c.PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String("things"), Item: tt.item})
			wantError(t, err, "ValidationException", tt.want)
		})
	}
}

// [WEB:Constraints].
func TestLargestItemIsExactly400KB(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "things", "pk:S")
	// "pk" 2 + "a" 1 + "x" 1 leave this much for x's value.
	put(t, c, "things", attrs{"pk": S("a"), "x": S(strings.Repeat("x", maxItemSize-4))})
}

// [BOTO:dynamodb PutItem ReturnValuesOnConditionCheckFailure].
func TestConditionalPutReturnsTypedErrorWithTheItem(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "things", "pk:S")
	put(t, c, "things", attrs{"pk": S("a"), "n": N("1")})
	_, err := c.PutItem(t.Context(), &sdk.PutItemInput{
		TableName:                           aws.String("things"),
		Item:                                attrs{"pk": S("a"), "n": N("2")},
		ConditionExpression:                 aws.String("attribute_not_exists(pk)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	if !ok {
		t.Fatalf("error = %v, want ConditionalCheckFailedException", err)
	}
	if got, want := text(failed.Item), `{"n":{"N":"1"},"pk":{"S":"a"}}`; got != want {
		t.Errorf("item in the error = %s, want %s", got, want)
	}
}

func TestUnknownTableIsResourceNotFound(t *testing.T) {
	c, _ := newClient(t, Options{})
	_, err := c.GetItem(t.Context(), &sdk.GetItemInput{TableName: aws.String("nowhere"), Key: attrs{"pk": S("a")}})
	if _, ok := errors.AsType[*types.ResourceNotFoundException](err); !ok {
		t.Errorf("error = %v, want ResourceNotFoundException", err)
	}
}

// [BOTO:dynamodb UpdateItem ReturnValues].
func TestReturnValues(t *testing.T) {
	tests := []struct {
		values types.ReturnValue
		want   string
	}{
		{types.ReturnValueNone, `{}`},
		{types.ReturnValueAllOld, `{"a":{"N":"1"},"m":{"M":{"x":{"S":"old"},"y":{"S":"stays"}}},"pk":{"S":"k"}}`},
		{types.ReturnValueAllNew, `{"a":{"N":"2"},"b":{"S":"fresh"},"m":{"M":{"x":{"S":"new"},"y":{"S":"stays"}}},"pk":{"S":"k"}}`},
		{types.ReturnValueUpdatedOld, `{"a":{"N":"1"},"m":{"M":{"x":{"S":"old"}}}}`},
		{types.ReturnValueUpdatedNew, `{"a":{"N":"2"},"b":{"S":"fresh"},"m":{"M":{"x":{"S":"new"}}}}`},
	}
	for _, tt := range tests {
		t.Run(string(tt.values), func(t *testing.T) {
			c, _ := newClient(t, Options{})
			createTable(t, c, "things", "pk:S")
			put(t, c, "things", attrs{"pk": S("k"), "a": N("1"), "m": M(attrs{"x": S("old"), "y": S("stays")})})
			out, err := c.UpdateItem(t.Context(), &sdk.UpdateItemInput{
				TableName: aws.String("things"), Key: attrs{"pk": S("k")},
				UpdateExpression:          aws.String("SET a = a + :one, b = :b, m.x = :new"),
				ExpressionAttributeValues: attrs{":one": N("1"), ":b": S("fresh"), ":new": S("new")},
				ReturnValues:              tt.values,
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := text(out.Attributes); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// [BOTO:dynamodb PutItem, DeleteItem ReturnValues].
func TestPutAndDeleteKnowOnlyAllOld(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "things", "pk:S")
	_, err := c.PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String("things"), Item: attrs{"pk": S("a")}, ReturnValues: types.ReturnValueAllNew})
	wantError(t, err, "ValidationException", "ReturnValues can only be ALL_OLD or NONE")

	put(t, c, "things", attrs{"pk": S("a"), "x": S("gone")})
	out, err := c.DeleteItem(t.Context(), &sdk.DeleteItemInput{TableName: aws.String("things"), Key: attrs{"pk": S("a")}, ReturnValues: types.ReturnValueAllOld})
	if err != nil || text(out.Attributes) != `{"pk":{"S":"a"},"x":{"S":"gone"}}` {
		t.Errorf("deleted %s, %v", text(out.Attributes), err)
	}
	if it := get1(t, c, "things", attrs{"pk": S("a")}); it != nil {
		t.Errorf("still there: %s", text(it))
	}
	out, err = c.DeleteItem(t.Context(), &sdk.DeleteItemInput{TableName: aws.String("things"), Key: attrs{"pk": S("a")}, ReturnValues: types.ReturnValueAllOld})
	if err != nil || out.Attributes != nil {
		t.Errorf("second delete returned %s, %v", text(out.Attributes), err)
	}
}

// "or adds a new item to the table if it does not already exist"
// [BOTO:dynamodb UpdateItem].
func TestUpdateOfAMissingItemCreatesIt(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "things", "pk:S", "sk:S")
	_, err := c.UpdateItem(t.Context(), &sdk.UpdateItemInput{TableName: aws.String("things"), Key: key("a", "b")})
	wantError(t, err, "", "")
	if got, want := text(get1(t, c, "things", key("a", "b"))), `{"pk":{"S":"a"},"sk":{"S":"b"}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestGetItemWithAKeyThatDoesNotFit(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "things", "pk:S", "sk:S")
	for _, k := range []attrs{{"pk": S("a")}, {"pk": S("a"), "sk": N("1")}, {"pk": S("a"), "sk": S("b"), "x": S("c")}} {
		_, err := c.GetItem(t.Context(), &sdk.GetItemInput{TableName: aws.String("things"), Key: k})
		wantError(t, err, "ValidationException", "The provided key element does not match the schema")
	}
}

func TestProjectionPicksNestedParts(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "things", "pk:S")
	put(t, c, "things", attrs{"pk": S("a"), "l": L(S("0"), S("1"), S("2")), "m": M(attrs{"x": N("1"), "y": N("2")})})
	out, err := c.GetItem(t.Context(), &sdk.GetItemInput{
		TableName: aws.String("things"), Key: attrs{"pk": S("a")},
		ProjectionExpression:     aws.String("l[2], l[0], #m.y, absent"),
		ExpressionAttributeNames: map[string]string{"#m": "m"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := text(out.Item), `{"l":{"L":[{"S":"0"},{"S":"2"}]},"m":{"M":{"y":{"N":"2"}}}}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestLegacyParametersAreRefused(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "things", "pk:S")
	_, err := c.GetItem(t.Context(), &sdk.GetItemInput{TableName: aws.String("things"), Key: attrs{"pk": S("a")}, AttributesToGet: []string{"x"}})
	wantError(t, err, "ValidationException", "does not support the legacy parameter AttributesToGet")
}

func TestUpdateCannotTouchTheKey(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "things", "pk:S")
	_, err := c.UpdateItem(t.Context(), &sdk.UpdateItemInput{
		TableName: aws.String("things"), Key: attrs{"pk": S("a")},
		UpdateExpression: aws.String("SET pk = :v"), ExpressionAttributeValues: attrs{":v": S("b")},
	})
	wantError(t, err, "ValidationException", "Cannot update attribute pk. This attribute is part of the key")
}
