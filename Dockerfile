# The image of the worker and of every other command. The final image has no shell and no package manager.
# Both base images are named by tag, because their digests change with each security fix: rebuild to get the fixes.

# Builds and packs the two packages.
FROM node:24-trixie-slim AS build
WORKDIR /source
COPY package.json package-lock.json ./
COPY tools/node ./tools/node
COPY writers/typescript/package.json ./writers/typescript/
RUN npm ci --no-audit --no-fund
COPY . .
RUN mkdir /packed && npm pack . ./writers/typescript --pack-destination /packed

# Installs the packages, with their production dependencies as the lock file pins them.
FROM node:24-trixie-slim AS install
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --workspaces=false --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund
COPY --from=build /packed /packed
# A catalog in /app must import the package below node_modules, so /app itself is no longer the package. In the lock
# file, the writer is a link to its sources.
RUN rm node_modules/outgraph-writer \
    && for name in outgraph outgraph-writer; do \
         mkdir "node_modules/$name" \
         && tar -xzf "/packed/$name"-[0-9]*.tgz -C "node_modules/$name" --strip-components=1 --no-same-owner \
         || exit 1; \
       done \
    && rm package-lock.json \
    && echo '{ "private": true, "type": "module" }' > package.json

FROM gcr.io/distroless/nodejs24-debian13:nonroot
COPY --from=install /app /app
WORKDIR /app
ENV NODE_ENV=production
# By number: Kubernetes must see that it is not root.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/nodejs/bin/node", "node_modules/outgraph/bin/outgraph.mjs"]
CMD ["worker"]
