package lambda

import (
	"encoding/json"
	"net/http"

	"fanfare/localstack/awsproto"
)

const (
	extensionName       = "Lambda-Extension-Name"
	extensionIdentifier = "Lambda-Extension-Identifier"

	maxExtensions = 10
)

// registration is what an extension learns of its function.
type registration struct {
	FunctionName    string `json:"functionName"`
	FunctionVersion string `json:"functionVersion"`
	Handler         string `json:"handler"`
}

// registerExtension serves internal extensions, that is, parts of the function's
// own process. To have one means to get SIGTERM before the end; events are not
// sent, and whoever asks for INVOKE or SHUTDOWN is refused.
func (a *runtimeAPI) registerExtension(_ *runtimeConn, r *http.Request) *reply {
	name := r.Header.Get(extensionName)
	if name == "" {
		return errorReply(http.StatusForbidden, "Extension.InvalidExtensionName", "Empty extension name")
	}
	var in struct {
		Events []string `json:"events"`
	}
	body, err := readAnswer(r)
	if err == nil {
		err = json.Unmarshal(body, &in)
	}
	if err != nil {
		return errorReply(http.StatusForbidden, "InvalidRequestFormat", err.Error())
	}
	if len(in.Events) > 0 {
		return errorReply(http.StatusForbidden, "Extension.InvalidEventType",
			in.Events[0]+": the local cloud sends no events to internal extensions")
	}
	id, errorType, message := a.addExtension(name)
	if id == "" {
		return errorReply(http.StatusForbidden, errorType, message)
	}
	answer, _ := json.Marshal(a.about)
	return &reply{status: http.StatusOK, kind: jsonType, header: []string{extensionIdentifier, id}, body: append(answer, '\n')}
}

// addExtension returns an identifier, or why there is none.
func (a *runtimeAPI) addExtension(name string) (id, errorType, message string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.state != stateStarted {
		return "", "Extension.RegistrationClosed", "Extension registration closed already"
	}
	if len(a.extensions) == maxExtensions {
		return "", "Extension.TooManyExtensions", "Extension limit (10) reached"
	}
	for _, other := range a.extensions {
		if other == name {
			return "", "Extension.InvalidExtensionState", "Extension with this name already registered"
		}
	}
	if a.extensions == nil {
		a.extensions = map[string]string{}
	}
	id = awsproto.NewRequestID()
	a.extensions[id] = name
	return id, "", ""
}

func (a *runtimeAPI) hasExtension() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.extensions) > 0
}

// nextExtensionEvent is never answered, because nobody has subscribed to events.
func (a *runtimeAPI) nextExtensionEvent(_ *runtimeConn, r *http.Request) *reply {
	a.mu.Lock()
	_, known := a.extensions[r.Header.Get(extensionIdentifier)]
	a.mu.Unlock()
	if !known {
		return errorReply(http.StatusForbidden, "Extension.UnknownExtensionIdentifier", "Unknown extension "+extensionIdentifier)
	}
	return nil
}
