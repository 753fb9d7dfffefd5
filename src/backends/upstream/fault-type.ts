/** OpenAI's type for what TGI calls an `error_type`. */
export function faultType(kind: string): 'invalid_request_error' | 'rate_limit_error' | 'server_error' {
  switch (kind) {
    case 'validation':
    case 'template_error':
    case 'missing_template_variable':
    case 'tool_error':
      return 'invalid_request_error';
    case 'overloaded':
      return 'rate_limit_error';
    default:
      return 'server_error';
  }
}
