package lambda

import (
	"maps"
	"net/http"
	"slices"

	"fanfare/localstack/awsproto"
)

const maxEventAge = 21600 // seconds: 6 hours, Lambda's default and limit

func (s *Service) putInvokeConfig(r *http.Request) (int, any, error) {
	return s.writeInvokeConfig(r, func(*function, string) (eventInvokeConfig, error) { return eventInvokeConfig{}, nil })
}

// updateInvokeConfig keeps what the request does not name.
func (s *Service) updateInvokeConfig(r *http.Request) (int, any, error) {
	return s.writeInvokeConfig(r, func(f *function, key string) (eventInvokeConfig, error) {
		c, err := f.invokeConfig(key)
		if err != nil {
			return eventInvokeConfig{}, err
		}
		return *c, nil
	})
}

func (s *Service) writeInvokeConfig(r *http.Request, before func(*function, string) (eventInvokeConfig, error)) (int, any, error) {
	var in eventInvokeConfig
	if err := awsproto.DecodeREST(r, &in); err != nil {
		return 0, nil, err
	}
	if err := in.check(); err != nil {
		return 0, nil, err
	}
	out, err := s.withFunction(r, func(ref reference, f *function) (any, error) {
		if _, err := f.resolve(ref.qualifier, 1); err != nil {
			return nil, err
		}
		key := invokeConfigKey(ref.qualifier)
		c, err := before(f, key)
		if err != nil {
			return nil, err
		}
		if in.MaximumRetryAttempts != nil {
			c.MaximumRetryAttempts = in.MaximumRetryAttempts
		}
		if in.MaximumEventAgeInSeconds != nil {
			c.MaximumEventAgeInSeconds = in.MaximumEventAgeInSeconds
		}
		c.FunctionArn = qualify(f.ARN, key)
		c.LastModified = epochSeconds{s.clock.Now()}
		c.DestinationConfig = &destinationConfig{&destination{}, &destination{}}
		f.InvokeConfigs[key] = &c
		return c, nil
	})
	return http.StatusOK, out, err
}

func (c eventInvokeConfig) check() error {
	if d := c.DestinationConfig; d != nil {
		for _, to := range []*destination{d.OnSuccess, d.OnFailure} {
			if to != nil && to.Destination != "" {
				return notSupported("destinations of asynchronous invokes")
			}
		}
	}
	if c.MaximumRetryAttempts != nil {
		if err := within(*c.MaximumRetryAttempts, "maximumRetryAttempts", 0, 2); err != nil {
			return err
		}
	}
	if c.MaximumEventAgeInSeconds != nil {
		return within(*c.MaximumEventAgeInSeconds, "maximumEventAgeInSeconds", 60, maxEventAge)
	}
	return nil
}

func invokeConfigKey(qualifier string) string {
	if qualifier == "" {
		return latest
	}
	return qualifier
}

func (f *function) invokeConfig(key string) (*eventInvokeConfig, error) {
	c, ok := f.InvokeConfigs[key]
	if !ok {
		return nil, notFound("The function %s doesn't have an EventInvokeConfig", qualify(f.ARN, key))
	}
	return c, nil
}

func (s *Service) getInvokeConfig(r *http.Request) (int, any, error) {
	out, err := s.withFunction(r, func(ref reference, f *function) (any, error) {
		return f.invokeConfig(invokeConfigKey(ref.qualifier))
	})
	return http.StatusOK, out, err
}

func (s *Service) deleteInvokeConfig(r *http.Request) (int, any, error) {
	_, err := s.withFunction(r, func(ref reference, f *function) (any, error) {
		key := invokeConfigKey(ref.qualifier)
		_, err := f.invokeConfig(key)
		delete(f.InvokeConfigs, key)
		return nil, err
	})
	return http.StatusNoContent, nil, err
}

func (s *Service) listInvokeConfigs(r *http.Request) (int, any, error) {
	out, err := s.withFunction(r, func(_ reference, f *function) (any, error) {
		var all []eventInvokeConfig
		for _, key := range slices.Sorted(maps.Keys(f.InvokeConfigs)) {
			all = append(all, *f.InvokeConfigs[key])
		}
		items, next, err := page(r, all, 50)
		return struct {
			FunctionEventInvokeConfigs []eventInvokeConfig
			NextMarker                 string `json:",omitempty"`
		}{items, next}, err
	})
	return http.StatusOK, out, err
}
