// Values that follow from the parameters by arithmetic, which serverless.yml does not have. The other
// files refer to them as custom.derived.

/** The rest is for Node itself, compiled code and buffers. */
const heapShare = 0.8;

module.exports = async ({ resolveVariable }) => {
  const number = async (name) => Number(await resolveVariable(name));
  const [timeout, window, visibility, memory, consumerMemory] = await Promise.all(
    [
      'param:consumerTimeoutSeconds',
      'param:batchWindowSeconds',
      'param:visibilityTimeoutSeconds',
      'self:provider.memorySize',
      'param:consumerMemoryMegabytes',
    ].map(number),
  );
  return {
    // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    visibilityTimeoutSeconds: visibility || 6 * timeout + window,
    // Lambda sizes Node's heap only for a function whose NODE_OPTIONS set no part of it.
    heapMegabytes: Math.floor(heapShare * memory),
    consumerHeapMegabytes: Math.floor(heapShare * consumerMemory),
  };
};
