"""OpenAI's own client for Python against the gateway at argv[1] (its base URL) with the model argv[2]: prints what it got, as one JSON object."""

import json
import sys

from openai import OpenAI

base_url, model = sys.argv[1:]
client = OpenAI(base_url=base_url, api_key="none", max_retries=0)
messages = [{"role": "user", "content": "Hello"}]
parameters = {"type": "object", "properties": {"city": {"type": "string"}}}
described = {"name": "weather", "description": "The weather now", "parameters": parameters}
chat_tools = [{"type": "function", "function": described}]
tools = [{"type": "function", "strict": False, **described}]
got = {}

answer = client.chat.completions.create(model=model, messages=messages)
got["chat"] = answer.choices[0].message.content

stream = client.chat.completions.create(model=model, messages=messages, stream=True)
got["chat stream"] = "".join(chunk.choices[0].delta.content or "" for chunk in stream)

answer = client.chat.completions.create(model=model, messages=messages, tools=chat_tools)
called = answer.choices[0].message
result = {"role": "tool", "tool_call_id": called.tool_calls[0].id, "content": "Sunny."}
answer = client.chat.completions.create(model=model, messages=[*messages, called, result], tools=chat_tools)
got["chat tool"] = [called.tool_calls[0].function.arguments, answer.choices[0].message.content]

response = client.responses.create(model=model, input="Hello")
got["response"] = [response.status, response.output_text, response.usage.output_tokens]

with client.responses.stream(model=model, input="Hello") as events:
    deltas = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    got["response stream"] = [deltas, events.get_final_response().output_text]

response = client.responses.create(model=model, input="Hello", tools=tools)
call = response.output[0]
result = {"type": "function_call_output", "call_id": call.call_id, "output": "Sunny."}
answer = client.responses.create(model=model, input=[*messages, call, result], tools=tools)
got["response tool"] = [call.arguments, answer.output_text]

print(json.dumps(got))
