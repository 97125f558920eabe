package lambda

import (
	"net/http"
	"strconv"

	"fanfare/localstack/awsproto"
)

// routes lists every operation of the API that the local cloud has. Old SDKs
// end some paths in a slash.
func (s *Service) routes() *http.ServeMux {
	const (
		functions = "/2015-03-31/functions"
		function  = functions + "/{FunctionName}"
		mappings  = "/2015-03-31/event-source-mappings"
	)
	rest := awsproto.NewREST()
	for _, slash := range []string{"", "/{$}"} {
		rest.Handle("POST "+functions+slash, "CreateFunction", s.createFunction)
		rest.Handle("GET "+functions+slash, "ListFunctions", s.listFunctions)
		rest.Handle("POST "+mappings+slash, "CreateEventSourceMapping", s.createMapping)
		rest.Handle("GET "+mappings+slash, "ListEventSourceMappings", s.listMappings)
		rest.Handle("GET /2016-08-19/account-settings"+slash, "GetAccountSettings", s.getAccountSettings)
	}
	rest.Handle("GET "+function, "GetFunction", s.getFunction)
	rest.Handle("DELETE "+function, "DeleteFunction", s.deleteFunction)
	rest.Handle("GET "+function+"/configuration", "GetFunctionConfiguration", s.getConfiguration)
	rest.Handle("PUT "+function+"/configuration", "UpdateFunctionConfiguration", s.updateConfiguration)
	rest.Handle("PUT "+function+"/code", "UpdateFunctionCode", s.updateCode)
	rest.Handle("GET /2020-06-30/functions/{FunctionName}/code-signing-config", "GetFunctionCodeSigningConfig", s.getCodeSigning)

	rest.Handle("POST "+function+"/versions", "PublishVersion", s.publishVersion)
	rest.Handle("GET "+function+"/versions", "ListVersionsByFunction", s.listVersions)

	rest.Handle("POST "+function+"/aliases", "CreateAlias", s.createAlias)
	rest.Handle("GET "+function+"/aliases", "ListAliases", s.listAliases)
	rest.Handle("GET "+function+"/aliases/{Name}", "GetAlias", s.getAlias)
	rest.Handle("PUT "+function+"/aliases/{Name}", "UpdateAlias", s.updateAlias)
	rest.Handle("DELETE "+function+"/aliases/{Name}", "DeleteAlias", s.deleteAlias)

	rest.Handle("POST "+function+"/policy", "AddPermission", s.addPermission)
	rest.Handle("GET "+function+"/policy", "GetPolicy", s.getPolicy)
	rest.Handle("DELETE "+function+"/policy/{StatementId}", "RemovePermission", s.removePermission)

	rest.Handle("GET "+mappings+"/{UUID}", "GetEventSourceMapping", s.getMapping)
	rest.Handle("PUT "+mappings+"/{UUID}", "UpdateEventSourceMapping", s.updateMapping)
	rest.Handle("DELETE "+mappings+"/{UUID}", "DeleteEventSourceMapping", s.deleteMapping)

	const eventInvoke = "/2019-09-25/functions/{FunctionName}/event-invoke-config"
	rest.Handle("PUT "+eventInvoke, "PutFunctionEventInvokeConfig", s.putInvokeConfig)
	rest.Handle("POST "+eventInvoke, "UpdateFunctionEventInvokeConfig", s.updateInvokeConfig)
	rest.Handle("GET "+eventInvoke, "GetFunctionEventInvokeConfig", s.getInvokeConfig)
	rest.Handle("DELETE "+eventInvoke, "DeleteFunctionEventInvokeConfig", s.deleteInvokeConfig)
	rest.Handle("GET "+eventInvoke+"/list", "ListFunctionEventInvokeConfigs", s.listInvokeConfigs)

	rest.Handle("PUT /2017-10-31/functions/{FunctionName}/concurrency", "PutFunctionConcurrency", s.putConcurrency)
	rest.Handle("DELETE /2017-10-31/functions/{FunctionName}/concurrency", "DeleteFunctionConcurrency", s.deleteConcurrency)
	rest.Handle("GET /2019-09-30/functions/{FunctionName}/concurrency", "GetFunctionConcurrency", s.getConcurrency)

	const recursion = "/2024-08-31/functions/{FunctionName}/recursion-config"
	rest.Handle("PUT "+recursion, "PutFunctionRecursionConfig", s.putRecursionConfig)
	rest.Handle("GET "+recursion, "GetFunctionRecursionConfig", s.getRecursionConfig)

	rest.Handle("GET /2017-03-31/tags/{Resource}", "ListTags", s.listTags)
	rest.Handle("POST /2017-03-31/tags/{Resource}", "TagResource", s.tagResource)
	rest.Handle("DELETE /2017-03-31/tags/{Resource}", "UntagResource", s.untagResource)

	mux := http.NewServeMux()
	mux.Handle("/", rest)
	mux.HandleFunc("POST "+function+"/invocations", s.serveInvoke) // its answer is the function's, not JSON of ours
	return mux
}

// target reads which function a request is about, from its path and its
// Qualifier.
func target(r *http.Request) (reference, error) {
	return locate(r.Context(), r.PathValue("FunctionName"), r.URL.Query().Get("Qualifier"))
}

// withFunction calls do, with s.mu held, for the function that r is about.
func (s *Service) withFunction(r *http.Request, do func(reference, *function) (any, error)) (any, error) {
	ref, err := target(r)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.lookup(ref)
	if err != nil {
		return nil, err
	}
	return do(ref, f)
}

// page cuts one page out of a list: MaxItems from the query, and Marker, which
// is the index where the page begins. next is "" on the last page.
func page[T any](r *http.Request, all []T, defaultSize int) (items []T, next string, err error) {
	size, start := defaultSize, 0
	q := r.URL.Query()
	if text := q.Get("MaxItems"); text != "" {
		if size, err = strconv.Atoi(text); err != nil || size < 1 {
			return nil, "", constraint(text, "maxItems", "Member must have value greater than or equal to 1")
		}
	}
	if text := q.Get("Marker"); text != "" {
		if start, err = strconv.Atoi(text); err != nil || start < 0 {
			return nil, "", invalidParameter("Invalid Marker")
		}
	}
	start = min(start, len(all))
	end := len(all)
	if size < end-start { // size may be MaxInt
		end = start + size
		next = strconv.Itoa(end)
	}
	return append([]T{}, all[start:end]...), next, nil // never null
}
