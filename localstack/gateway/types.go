package gateway

import (
	"slices"
	"time"
)

// The resources of the control plane, in the shapes of the API's JSON. Fields
// without omitempty are always present in AWS's answers too.

type api struct {
	ID                        string            `json:"apiId"`
	Name                      string            `json:"name"`
	Endpoint                  string            `json:"apiEndpoint"`
	ProtocolType              string            `json:"protocolType"`
	RouteSelectionExpression  string            `json:"routeSelectionExpression"`
	APIKeySelectionExpression string            `json:"apiKeySelectionExpression"`
	Description               string            `json:"description,omitempty"`
	Version                   string            `json:"version,omitempty"`
	DisableExecuteAPIEndpoint bool              `json:"disableExecuteApiEndpoint"`
	CreatedDate               time.Time         `json:"createdDate"`
	Tags                      map[string]string `json:"tags"`
}

type integration struct {
	ID                      string `json:"integrationId"`
	Type                    string `json:"integrationType"`
	URI                     string `json:"integrationUri"`
	Method                  string `json:"integrationMethod,omitempty"`
	ConnectionType          string `json:"connectionType"`
	ContentHandlingStrategy string `json:"contentHandlingStrategy,omitempty"`
	CredentialsARN          string `json:"credentialsArn,omitempty"`
	Description             string `json:"description,omitempty"`
	PassthroughBehavior     string `json:"passthroughBehavior"`
	PayloadFormatVersion    string `json:"payloadFormatVersion"`
	TimeoutInMillis         int    `json:"timeoutInMillis"`

	// Only ever read, to refuse them.
	RequestTemplates            map[string]string `json:"requestTemplates,omitempty"`
	RequestParameters           map[string]string `json:"requestParameters,omitempty"`
	TemplateSelectionExpression string            `json:"templateSelectionExpression,omitempty"`
}

type route struct {
	ID                               string `json:"routeId"`
	Key                              string `json:"routeKey"`
	Target                           string `json:"target,omitempty"` // integrations/<id>
	AuthorizationType                string `json:"authorizationType"`
	AuthorizerID                     string `json:"authorizerId,omitempty"`
	APIKeyRequired                   bool   `json:"apiKeyRequired"`
	OperationName                    string `json:"operationName,omitempty"`
	RouteResponseSelectionExpression string `json:"routeResponseSelectionExpression,omitempty"`

	// Only ever read, to refuse them.
	ModelSelectionExpression string            `json:"modelSelectionExpression,omitempty"`
	RequestModels            map[string]string `json:"requestModels,omitempty"`
	RequestParameters        map[string]any    `json:"requestParameters,omitempty"`
}

type routeResponse struct {
	ID                       string            `json:"routeResponseId"`
	Key                      string            `json:"routeResponseKey"`
	ModelSelectionExpression string            `json:"modelSelectionExpression,omitempty"`
	ResponseModels           map[string]string `json:"responseModels,omitempty"`
}

type deployment struct {
	ID           string    `json:"deploymentId"`
	Status       string    `json:"deploymentStatus"`
	Description  string    `json:"description,omitempty"`
	AutoDeployed bool      `json:"autoDeployed"`
	CreatedDate  time.Time `json:"createdDate"`
}

type routeSettings struct {
	LoggingLevel           string   `json:"loggingLevel,omitempty"`
	DataTraceEnabled       bool     `json:"dataTraceEnabled"`
	DetailedMetricsEnabled bool     `json:"detailedMetricsEnabled"`
	ThrottlingBurstLimit   *int     `json:"throttlingBurstLimit,omitempty"`
	ThrottlingRateLimit    *float64 `json:"throttlingRateLimit,omitempty"`
}

type accessLogSettings struct {
	DestinationARN string `json:"destinationArn,omitempty"`
	Format         string `json:"format,omitempty"`
}

type stage struct {
	Name                 string                   `json:"stageName"`
	DeploymentID         string                   `json:"deploymentId,omitempty"`
	AutoDeploy           bool                     `json:"autoDeploy"`
	Description          string                   `json:"description,omitempty"`
	DefaultRouteSettings *routeSettings           `json:"defaultRouteSettings,omitempty"`
	RouteSettings        map[string]routeSettings `json:"routeSettings"`
	StageVariables       map[string]string        `json:"stageVariables,omitempty"`
	AccessLogSettings    *accessLogSettings       `json:"accessLogSettings,omitempty"`
	CreatedDate          time.Time                `json:"createdDate"`
	LastUpdatedDate      time.Time                `json:"lastUpdatedDate"`
	Tags                 map[string]string        `json:"tags"`
}

type account struct {
	CloudwatchRoleARN string           `json:"cloudwatchRoleArn,omitempty"`
	ThrottleSettings  throttleSettings `json:"throttleSettings"`
	Features          []string         `json:"features,omitempty"`
	APIKeyVersion     string           `json:"apiKeyVersion,omitempty"`
}

type throttleSettings struct {
	BurstLimit int     `json:"burstLimit"`
	RateLimit  float64 `json:"rateLimit"`
}

// items is a page of a list. Lists here are short: there is never a second.
type items[T any] struct {
	Items []T `json:"items"`
}

func itemsOf[T any](m map[string]*T, id func(*T) string) items[T] {
	list := items[T]{Items: []T{}}
	for _, v := range m {
		list.Items = append(list.Items, *v)
	}
	slices.SortFunc(list.Items, func(a, b T) int {
		if id(&a) < id(&b) {
			return -1
		}
		return 1
	})
	return list
}
