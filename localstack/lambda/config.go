package lambda

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
)

const (
	maxEnvironment = 4 << 10 // bytes of all variables as JSON

	formatText = "Text"
	formatJSON = "JSON"
)

var (
	rolePattern     = regexp.MustCompile(`^arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+$`)
	variablePattern = regexp.MustCompile(`^[a-zA-Z]([a-zA-Z0-9_])+$`)
	groupPattern    = regexp.MustCompile(`^[.\-_/#A-Za-z0-9]{1,512}$`)
)

// reservedVariables belong to the platform (developer guide, "Defined runtime
// environment variables").
var reservedVariables = []string{
	"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV",
	"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION",
	"AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
	"AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SESSION_TOKEN",
	"LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT",
}

// newConfiguration has Lambda's defaults.
func newConfiguration(name string) functionConfiguration {
	return functionConfiguration{
		FunctionName:     name,
		Timeout:          3,
		MemorySize:       128,
		Version:          latest,
		TracingConfig:    tracingConfig{Mode: "PassThrough"},
		State:            "Active",
		LastUpdateStatus: "Successful",
		PackageType:      "Zip",
		Architectures:    []string{"x86_64"},
		EphemeralStorage: ephemeralStorage{Size: 512},
		SnapStart:        snapStart{ApplyOn: "None", OptimizationStatus: "Off"},
		LoggingConfig:    loggingConfig{LogFormat: formatText, LogGroup: "/aws/lambda/" + name},
	}
}

// apply checks in and changes c by it. After an error c is of no use.
func (in settings) apply(c *functionConfiguration) error {
	if err := refuseUnsupported(in.unsupportedSettings); err != nil {
		return err
	}
	for _, step := range []func(*functionConfiguration) error{
		in.applyRuntime, in.applyTexts, in.applySizes, in.applyEnvironment, in.applyModes, in.applyLogging,
	} {
		if err := step(c); err != nil {
			return err
		}
	}
	return nil
}

func (in settings) applyRuntime(c *functionConfiguration) error {
	if in.Runtime == nil {
		return nil
	}
	if *in.Runtime != "provided.al2023" && *in.Runtime != "provided.al2" {
		return invalidParameter("The local cloud has no runtime %q: it runs only `bootstrap` binaries, so Runtime must be "+
			"provided.al2023 or provided.al2.", *in.Runtime)
	}
	c.Runtime = *in.Runtime
	return nil
}

func (in settings) applyTexts(c *functionConfiguration) error {
	if in.Role != nil {
		if !rolePattern.MatchString(*in.Role) {
			return constraint(*in.Role, "role", "Member must satisfy regular expression pattern: %s", rolePattern)
		}
		c.Role = *in.Role
	}
	if in.Handler != nil {
		if len(*in.Handler) > 128 || strings.ContainsAny(*in.Handler, " \t\r\n") {
			return constraint(*in.Handler, "handler", `Member must satisfy regular expression pattern: [^\s]+ of at most 128 characters`)
		}
		c.Handler = *in.Handler
	}
	if in.Description != nil {
		if len(*in.Description) > 256 {
			return constraint(*in.Description, "description", "Member must have length less than or equal to 256")
		}
		c.Description = *in.Description
	}
	return nil
}

func (in settings) applySizes(c *functionConfiguration) error {
	var storage *int
	if in.EphemeralStorage != nil {
		storage = &in.EphemeralStorage.Size
	}
	for _, size := range []struct {
		member   string
		from     *int
		to       *int
		min, max int
	}{
		{"timeout", in.Timeout, &c.Timeout, 1, 900},
		{"memorySize", in.MemorySize, &c.MemorySize, 128, 10240},
		{"ephemeralStorage.size", storage, &c.EphemeralStorage.Size, 512, 10240},
	} {
		if size.from == nil {
			continue
		}
		if err := within(*size.from, size.member, size.min, size.max); err != nil {
			return err
		}
		*size.to = *size.from
	}
	return nil
}

func within(value int, member string, lowest, highest int) error {
	if value < lowest {
		return constraint(value, member, "Member must have value greater than or equal to %d", lowest)
	}
	if value > highest {
		return constraint(value, member, "Member must have value less than or equal to %d", highest)
	}
	return nil
}

func (in settings) applyEnvironment(c *functionConfiguration) error {
	if in.Environment == nil {
		return nil
	}
	const refusal = "Lambda was unable to configure your environment variables because the environment variables you have provided "
	variables := in.Environment.Variables
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if slices.Contains(reservedVariables, name) {
			return invalidParameter(refusal+"contains reserved keys that are currently not supported for modification. "+
				"Reserved keys used in this request: %s", name)
		}
		if !variablePattern.MatchString(name) {
			return constraint(name, "environment.variables", "Map keys must satisfy constraint: %s", variablePattern)
		}
	}
	// AWS quotes the variables in its message. They may hold secrets, and a
	// message ends up in logs: the size says enough.
	if text, _ := json.Marshal(variables); len(text) > maxEnvironment {
		return invalidParameter(refusal+"exceeded the 4KB limit: %d bytes as JSON.", len(text))
	}
	c.Environment = nil
	if len(variables) > 0 {
		c.Environment = &environmentVariables{Variables: maps.Clone(variables)}
	}
	return nil
}

func (in settings) applyModes(c *functionConfiguration) error {
	if in.TracingConfig != nil {
		if err := oneOf(in.TracingConfig.Mode, "tracingConfig.mode", "Active", "PassThrough"); err != nil {
			return err
		}
		c.TracingConfig = *in.TracingConfig
	}
	if in.SnapStart != nil && in.SnapStart.ApplyOn != "" && in.SnapStart.ApplyOn != "None" {
		return invalidParameter("%s is not supported for SnapStart enabled functions.", c.Runtime)
	}
	return nil
}

func oneOf(value, member string, allowed ...string) error {
	if !slices.Contains(allowed, value) {
		return constraint(value, member, "Member must satisfy enum value set: [%s]", strings.Join(allowed, ", "))
	}
	return nil
}

func (in settings) applyLogging(c *functionConfiguration) error {
	if in.LoggingConfig == nil {
		return nil
	}
	l := *in.LoggingConfig
	if l.LogFormat == "" {
		l.LogFormat = c.LoggingConfig.LogFormat
	}
	if l.LogGroup == "" {
		l.LogGroup = c.LoggingConfig.LogGroup
	}
	if err := oneOf(l.LogFormat, "loggingConfig.logFormat", formatJSON, formatText); err != nil {
		return err
	}
	if !groupPattern.MatchString(l.LogGroup) {
		return constraint(l.LogGroup, "loggingConfig.logGroup", "Member must satisfy regular expression pattern: %s", groupPattern)
	}
	if err := l.checkLevels(); err != nil {
		return err
	}
	c.LoggingConfig = l
	return nil
}

// checkLevels also sets the levels that JSON has by default.
func (l *loggingConfig) checkLevels() error {
	if l.LogFormat == formatText {
		if l.ApplicationLogLevel != "" || l.SystemLogLevel != "" {
			return invalidParameter("To use ApplicationLogLevel or SystemLogLevel, you must set your LogFormat to JSON.")
		}
		return nil
	}
	if l.ApplicationLogLevel == "" {
		l.ApplicationLogLevel = "INFO"
	}
	if l.SystemLogLevel == "" {
		l.SystemLogLevel = "INFO"
	}
	if err := oneOf(l.ApplicationLogLevel, "loggingConfig.applicationLogLevel",
		"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"); err != nil {
		return err
	}
	return oneOf(l.SystemLogLevel, "loggingConfig.systemLogLevel", "DEBUG", "INFO", "WARN")
}

// checkArchitectures accepts either of AWS's processors. It is only echoed: the
// bootstrap itself tells whether this machine can run it.
func checkArchitectures(a []string) error {
	if len(a) != 1 {
		return constraint(a, "architectures", "Member must have length equal to 1")
	}
	return oneOf(a[0], "architectures", "x86_64", "arm64")
}
