/**
 * The Node side of the process executor: loads the function's handler and answers invocations
 * through the Lambda Runtime API, as AWS's own runtime does. It knows nothing of outgraph.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
import { existsSync } from 'node:fs';
import { get, request } from 'node:http';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;

// The executor holds the other end of this pipe: when it closes, this process exits.
process.stdin.on('end', () => process.exit(0)).resume();

const handler = await loadHandler().catch(async (error) => {
  await post(`${api}/init/error`, describe(error));
  console.error(describe(error));
  process.exit(1);
});

for (;;) {
  const { headers, body } = await next();
  const requestId = headers['lambda-runtime-aws-request-id'];
  process.env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id'] ?? '';
  try {
    const result = await handler(JSON.parse(body), createContext(headers));
    await post(`${api}/invocation/${requestId}/response`, result ?? null);
  } catch (error) {
    console.error(JSON.stringify(describe(error)));
    await post(`${api}/invocation/${requestId}/error`, describe(error));
  }
}

async function loadHandler() {
  const [file, name] = splitHandler(process.env._HANDLER ?? '');
  const base = path.join(process.env.LAMBDA_TASK_ROOT ?? '', file);
  const found = ['.mjs', '.cjs', '.js'].map((extension) => base + extension).find((candidate) => existsSync(candidate));
  if (found === undefined) throw new Error(`Cannot find the handler's module ${base}`);
  const module = await import(pathToFileURL(found).href);
  const loaded = module[name] ?? module.default?.[name];
  if (typeof loaded !== 'function') throw new Error(`${found} exports no function ${name}`);
  return loaded;
}

function splitHandler(text) {
  const dot = text.lastIndexOf('.');
  return [text.slice(0, dot), text.slice(dot + 1)];
}

function createContext(headers) {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  return {
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
}

function describe(error) {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') };
}

/**
 * Waits for the next invocation for any length of time; `fetch` would give up after five minutes.
 */
function next() {
  return new Promise((resolve, reject) => {
    get(`${api}/invocation/next`, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(chunks).toString() }));
    }).on('error', reject);
  });
}

function post(url, value) {
  return new Promise((resolve, reject) => {
    const call = request(url, { method: 'POST', headers: { 'content-type': 'application/json' } }, (response) => {
      response.resume().on('end', resolve);
    });
    call.on('error', reject).end(JSON.stringify(value));
  });
}
