/** The environment variable that names the file with the running stack's description. */
export const stackVariable = 'OUTGRAPH_TEST_STACK';
