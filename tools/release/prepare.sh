#!/usr/bin/env bash
# Makes everything that a release publishes in the folder release/, and checks it: the npm packages with their SBOM, and
# the Python packages. Vets the Go modules, which are published as they are. Publishes nothing.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$PWD/release
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$out"
mkdir -p "$out/python"

npm pack . ./writers/typescript --pack-destination "$out"
version=$(node -p "require('./package.json').version")
for name in outgraph-writer outgraph; do
  npm publish --dry-run --access public "$out/$name-$version.tgz"
done

# Of the versions that the lock file pins, as in the image. Of this folder, with its workspace, npm lists only a part.
mkdir "$work/outgraph"
cp package.json package-lock.json "$work/outgraph"
(
  cd "$work/outgraph"
  npm ci --workspaces=false --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund
  # In the lock file, the writer is a link to its sources.
  rm node_modules/outgraph-writer && mkdir node_modules/outgraph-writer
  tar -xzf "$out/outgraph-writer-$version.tgz" -C node_modules/outgraph-writer --strip-components=1
  npm pkg delete workspaces devDependencies
  npm sbom --sbom-format cyclonedx >"$out/outgraph-$version.cdx.json"
)

python3 -m venv "$work/python"
"$work/python/bin/pip" install --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
  -r tools/deploy-checks/requirements.txt
for package in writers/python xmem/python; do
  "$work/python/bin/python" -m build --no-isolation --outdir "$out/python" "$package"
done
"$work/python/bin/twine" check --strict "$out"/python/*

for module in writers/go xmem/go; do
  (cd "$module" && go mod verify && go vet ./...)
done
echo "Ready in $out: version $version."
