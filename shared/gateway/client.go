package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"fanfare/shared/connection"
)

// Options of a Client. Endpoint, Region and Credentials are required.
type Options struct {
	// Endpoint is the stage's management endpoint, stage included:
	// https://<apiId>.execute-api.<region>.amazonaws.com/<stage>.
	Endpoint    string
	Region      string
	Credentials aws.CredentialsProvider
	// HTTPClient defaults to one that keeps 256 connections alive and gives a
	// call 10 seconds.
	HTTPClient *http.Client
	// Now defaults to time.Now.
	Now func() time.Time
}

// Client calls @connections of one stage. It is safe for concurrent use.
type Client struct {
	base   url.URL // path without a trailing slash
	signer signer
	creds  aws.CredentialsProvider
	http   *http.Client
	now    func() time.Time
}

var _ connection.Sender = (*Client)(nil)

// New returns a Client, or an error that names the option at fault.
func New(o Options) (*Client, error) {
	base, err := url.Parse(o.Endpoint)
	switch {
	case err != nil:
		return nil, fmt.Errorf("management endpoint: %w", err)
	case base.Scheme != "https" && base.Scheme != "http" || base.Host == "":
		return nil, fmt.Errorf("management endpoint %q must be https://<host>/<stage>", o.Endpoint)
	case strings.Trim(base.Path, "/") == "":
		return nil, fmt.Errorf("management endpoint %q lacks the stage", o.Endpoint)
	case o.Region == "":
		return nil, errors.New("management endpoint: no region")
	case o.Credentials == nil:
		return nil, errors.New("management endpoint: no credentials")
	}
	base.Path = strings.TrimRight(base.Path, "/")
	c := &Client{base: *base, signer: signer{region: o.Region}, creds: o.Credentials, http: o.HTTPClient, now: o.Now}
	if c.http == nil {
		c.http = defaultHTTPClient()
	}
	if c.now == nil {
		c.now = time.Now
	}
	return c, nil
}

// defaultHTTPClient keeps as many connections alive as a Manager may have
// workers: net/http's own two would be dialled anew for every post.
func defaultHTTPClient() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 256, 256
	t.ForceAttemptHTTP2 = false // one connection per post in flight; API Gateway's regional endpoint speaks HTTP/1.1
	return &http.Client{Transport: t, Timeout: 10 * time.Second}
}

// Post sends m to the connection. Errors wrap connection's sentinels.
func (c *Client) Post(ctx context.Context, id string, m *connection.Message) error {
	resp, err := c.do(ctx, http.MethodPost, id, m.Data(), m.SHA256())
	if err != nil {
		return err
	}
	return finish(resp)
}

// Delete closes the connection's socket. One that is closed already is
// connection.ErrGone.
func (c *Client) Delete(ctx context.Context, id string) error {
	resp, err := c.do(ctx, http.MethodDelete, id, nil, emptySHA256)
	if err != nil {
		return err
	}
	return finish(resp)
}

// Info is what API Gateway knows of an open connection.
type Info struct {
	ConnectedAt  time.Time `json:"connectedAt"`
	LastActiveAt time.Time `json:"lastActiveAt"`
	Identity     struct {
		SourceIP  string `json:"sourceIp"`
		UserAgent string `json:"userAgent"`
	} `json:"identity"`
}

// Get asks about the connection; connection.ErrGone if its socket is closed.
func (c *Client) Get(ctx context.Context, id string) (Info, error) {
	resp, err := c.do(ctx, http.MethodGet, id, nil, emptySHA256)
	if err != nil {
		return Info{}, err
	}
	defer drain(resp.Body)
	if resp.StatusCode != http.StatusOK {
		return Info{}, answerError(resp)
	}
	var info Info
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&info); err != nil {
		return Info{}, fmt.Errorf("@connections answered what cannot be read: %w", err)
	}
	return info, nil
}

func (c *Client) do(ctx context.Context, method, id string, body []byte, bodySHA256 string) (*http.Response, error) {
	creds, err := c.creds.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("credentials for @connections: %w", err)
	}
	req, err := c.request(ctx, method, id, body)
	if err != nil {
		return nil, err
	}
	c.signer.sign(req, bodySHA256, creds, c.now())
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("@connections: %w", withoutURL(err))
	}
	return resp, nil
}

// request builds the call. The id is escaped whole ('=' goes as %3D), '@' is
// not, as the SDK sends them.
func (c *Client) request(ctx context.Context, method, id string, body []byte) (*http.Request, error) {
	u := c.base
	u.Path = c.base.Path + "/@connections/" + id
	u.RawPath = c.base.EscapedPath() + "/@connections/" + escape(id)
	req := (&http.Request{
		Method: method, URL: &u, Host: u.Host, Header: make(http.Header, 4),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	if method == http.MethodPost {
		req.Header["Content-Type"] = contentType
		req.ContentLength = int64(len(body))
		req.Body = io.NopCloser(bytes.NewReader(body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	return req, nil
}

var contentType = []string{"application/octet-stream"}

// maxAnswer bounds what is read of an answer: they are a few hundred bytes.
const maxAnswer = 64 << 10

func finish(resp *http.Response) error {
	defer drain(resp.Body)
	if resp.StatusCode >= 200 && resp.StatusCode <= 299 {
		return nil
	}
	return answerError(resp)
}

func answerError(resp *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("@connections answered %d: %w", resp.StatusCode, err)
	}
	var said struct{ Message string }
	if json.Unmarshal(body, &said) != nil {
		said.Message = "" // not from API Gateway; the status says enough
	}
	return newError(resp.StatusCode, resp.Header.Get("x-amzn-ErrorType"), said.Message)
}

// drain reads the rest of a body, so that its connection is used again.
func drain(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, maxAnswer) // what is over is not worth reading
	_ = body.Close()
}

// withoutURL strips net/http's repetition of the URL; the caller knows the id.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}
