/**
 * After this time without use, a connection to a database is replaced before it is used. Others
 * drop idle connections without a notice, and a query on a dropped one waits in vain: AWS's NAT
 * gateways and load balancers after 350 seconds, Aura after an hour. A frozen function does not
 * even see a notice.
 *
 * https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html
 * https://neo4j.com/docs/javascript-manual/current/connect-advanced/
 */
export const idleLimitMillis = 60_000;
