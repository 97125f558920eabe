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
	// Transport defaults to one that keeps 256 connections alive.
	Transport http.RoundTripper
	// Timeout bounds one call beside its context. Default 10 seconds.
	Timeout time.Duration
	// Now defaults to time.Now.
	Now func() time.Time
}

// Client calls @connections of one stage. It is safe for concurrent use.
type Client struct {
	base      *http.Request // what all requests have in common
	url       url.URL       // of the stage; Opaque is set for each request
	path      string        // of the stage, escaped, with /@connections/
	signer    signer
	creds     aws.CredentialsProvider
	transport http.RoundTripper
	timeout   time.Duration
	now       func() time.Time
}

var _ connection.Sender = (*Client)(nil)

// defaultTimeout is longer than API Gateway ever took to answer, and short
// enough that a Lambda outlives it.
const defaultTimeout = 10 * time.Second

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
	c := &Client{
		base: &http.Request{Host: base.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1},
		url:  url.URL{Scheme: base.Scheme, Host: base.Host},
		path: strings.TrimRight(base.EscapedPath(), "/") + "/@connections/",

		signer: newSigner(o.Region), creds: o.Credentials, transport: o.Transport, timeout: o.Timeout, now: o.Now,
	}
	if c.transport == nil {
		c.transport = defaultTransport()
	}
	if c.timeout == 0 {
		c.timeout = defaultTimeout
	}
	if c.now == nil {
		c.now = time.Now
	}
	return c, nil
}

// defaultTransport keeps as many connections alive as a Manager may have
// workers: net/http's own two would be dialled anew for every post.
func defaultTransport() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 256, 256
	// One connection per post in flight: a single HTTP/2 connection would queue
	// them behind its stream limit and one TCP window.
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	return t
}

// Post sends m to the connection. Errors wrap connection's sentinels.
func (c *Client) Post(ctx context.Context, id string, m *connection.Message) error {
	a, err := c.do(ctx, http.MethodPost, id, m.Data(), m.SHA256())
	if err != nil {
		return err
	}
	return a.err()
}

// Delete closes the connection's socket. One that is closed already is
// connection.ErrGone.
func (c *Client) Delete(ctx context.Context, id string) error {
	a, err := c.do(ctx, http.MethodDelete, id, nil, emptySHA256)
	if err != nil {
		return err
	}
	return a.err()
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
	a, err := c.do(ctx, http.MethodGet, id, nil, emptySHA256)
	if err == nil {
		err = a.err()
	}
	if err != nil {
		return Info{}, err
	}
	var info Info
	if err := json.Unmarshal(a.body, &info); err != nil {
		return Info{}, fmt.Errorf("@connections answered what cannot be read: %w", err)
	}
	return info, nil
}

// do signs and sends one request. There is no http.Client: @connections has
// neither redirects nor cookies, and an answer's body is read before do's
// caller returns.
func (c *Client) do(ctx context.Context, method, id string, body []byte, bodySHA256 string) (answer, error) {
	creds, err := c.creds.Retrieve(ctx)
	if err != nil {
		return answer{}, fmt.Errorf("credentials for @connections: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req := c.request(ctx, method, id, body)
	c.signer.sign(req, bodySHA256, creds, c.now())
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return answer{}, fmt.Errorf("@connections: %w", err)
	}
	return read(resp)
}

// payload is a request's body, in one allocation with its URL.
type payload struct {
	body bytes.Reader
	url  url.URL
}

// request builds the call. The id is escaped whole ('=' goes as %3D), '@' is
// not, as the SDK sends them; Opaque keeps net/http from escaping again.
func (c *Client) request(ctx context.Context, method, id string, body []byte) *http.Request {
	p := &payload{url: c.url}
	p.url.Opaque = c.path + escape(id)
	req := c.base.WithContext(ctx)
	req.Method, req.URL, req.Header = method, &p.url, make(http.Header, 4)
	if method == http.MethodPost {
		p.body.Reset(body)
		req.Header["Content-Type"] = contentType
		// net/http sends headers and body in one write only for readers that it
		// knows: a type of our own would cost a second one.
		req.ContentLength, req.Body = int64(len(body)), io.NopCloser(&p.body)
		// For a kept-alive connection that turns out to be closed.
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	return req
}

var contentType = []string{"application/octet-stream"}

// maxAnswer bounds what is read of an answer: they are a few hundred bytes.
const maxAnswer = 64 << 10

// answer is a response whose body has been read.
type answer struct {
	status    int
	errorType string
	body      []byte
}

// read takes the body to its end, so that the connection is used again.
func read(resp *http.Response) (answer, error) {
	a := answer{status: resp.StatusCode, errorType: resp.Header.Get("x-amzn-ErrorType")}
	if resp.ContentLength == 0 {
		return a, resp.Body.Close()
	}
	var err error
	a.body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return a, fmt.Errorf("@connections answered %d: %w", a.status, err)
	}
	return a, nil
}

// err is nil for success.
func (a answer) err() error {
	if a.status >= 200 && a.status <= 299 {
		return nil
	}
	var said struct{ Message string }
	if json.Unmarshal(a.body, &said) != nil {
		said.Message = "" // not from API Gateway; the status says enough
	}
	return newError(a.status, a.errorType, said.Message)
}
