/** The last minutes as line charts, with a text alternative. */
import type { ComponentChild } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import type { Sample } from '../messages.ts';
import { count, duration, timeOfDay } from './format.ts';

interface Line {
  readonly name: string;
  readonly read: (sample: Sample) => number | null;
}

interface ChartProps {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
  /** The scale goes up to at least this value. */
  readonly least: number;
  readonly history: readonly Sample[];
}

type Drawn = Pick<ChartProps, 'lines' | 'format' | 'least'>;

const height = 140;
/** The limits of the shown period. */
const [leastSeconds, mostSeconds] = [2 * 60, 15 * 60];

const pending: readonly Line[] = [{ name: 'pending', read: (sample) => sample.pending }];
const settled: readonly Line[] = [{ name: 'settled a second', read: (sample) => sample.settledPerSecond }];
const lag: readonly Line[] = [
  { name: 'p50', read: (sample) => sample.p50Millis },
  { name: 'p95', read: (sample) => sample.p95Millis },
];

export function Charts({ history }: { readonly history: readonly Sample[] }): ComponentChild {
  return (
    <section>
      <h2>The last minutes</h2>
      <div class="charts">
        <Chart title="Lag, from commit to graph" lines={lag} format={duration} least={20} history={history} />
        <Chart title="Events settled a second" lines={settled} format={count} least={5} history={history} />
        <Chart title="Events pending" lines={pending} format={count} least={5} history={history} />
      </div>
    </section>
  );
}

function Chart({ title, lines, format, least, history }: ChartProps): ComponentChild {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [pointed, setPointed] = useState<number | null>(null);
  const data: uPlot.AlignedData = [history.map(({ at }) => at / 1000), ...lines.map(({ read }) => history.map(read))];
  useEffect(() => {
    if (place.current === null) return;
    return draw(place.current, { lines, format, least }, setPointed, (made) => {
      plot.current = made;
    });
  }, []);
  // Runs after the effect above, which creates the plot.
  useEffect(() => plot.current?.setData(data), [history]);
  const shown = (pointed === null ? undefined : history[pointed]) ?? history.at(-1);
  return (
    <figure class="chart">
      <figcaption>
        <span class="title">{title}</span>
        <span class="now">
          {lines.map(({ name, read }, index) => {
            const value = shown === undefined ? null : read(shown);
            const words = value === null ? '–' : format(value);
            return (
              <span key={name}>
                <span class={`swatch line-${index}`} aria-hidden="true" />
                {lines.length > 1 ? `${name} ${words}` : words}
              </span>
            );
          })}
          {pointed !== null && shown !== undefined && <span class="when">at {timeOfDay(shown.at)}</span>}
        </span>
      </figcaption>
      <div ref={place} class="plot" role="img" aria-label={inWords(title, lines, format, history)} />
    </figure>
  );
}

/**
 * Draws the chart, and redraws it if its colours or width change. Returns a function that removes
 * it.
 */
function draw(
  place: HTMLDivElement,
  drawn: Drawn,
  point: (index: number | null) => void,
  made: (plot: uPlot) => void,
): () => void {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  let plot = make([[], ...drawn.lines.map(() => [])]);

  function make(data: uPlot.AlignedData): uPlot {
    const next = new uPlot(options(place, drawn, point), data, place);
    made(next);
    return next;
  }
  const repaint = () => {
    const { data } = plot;
    plot.destroy();
    plot = make(data);
  };
  const resize = new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height }));
  resize.observe(place);
  dark.addEventListener('change', repaint);
  return () => {
    resize.disconnect();
    dark.removeEventListener('change', repaint);
    plot.destroy();
  };
}

function options(
  place: HTMLDivElement,
  { lines, format, least }: Drawn,
  point: (index: number | null) => void,
): uPlot.Options {
  const style = getComputedStyle(place);
  const swatches = [...(place.parentElement?.querySelectorAll('.swatch') ?? [])];
  const strokes = swatches.map((swatch) => getComputedStyle(swatch).color);
  const axis = {
    stroke: style.color,
    font: `12px ${style.fontFamily}`,
    grid: { stroke: style.borderTopColor, width: 1 },
    ticks: { show: false },
  };
  return {
    width: place.clientWidth,
    height,
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
    scales: {
      x: { range: (_plot, min, max) => [max - Math.min(mostSeconds, Math.max(leastSeconds, max - min)), max] },
      y: { range: (_plot, _min, max) => [0, Math.max(least, (max ?? 0) * 1.1)] },
    },
    axes: [
      {
        ...axis,
        space: 60,
        size: 30,
        incrs: [60, 120, 300],
        values: (_plot, ticks) => ticks.map((at) => timeOfDay(at * 1000).slice(0, 5)),
      },
      { ...axis, size: 58, values: (_plot, ticks) => ticks.map(format) },
    ],
    series: [
      {},
      ...lines.map((_, index) => ({
        stroke: strokes[index] ?? style.color,
        width: 2,
        points: { show: false },
        // Lines must be distinguishable without colour.
        ...(index === 0 ? {} : { dash: [6, 4] }),
      })),
    ],
    hooks: { setCursor: [({ cursor }) => point(cursor.idx ?? null)] },
  };
}

function inWords(
  title: string,
  lines: readonly Line[],
  format: (value: number) => string,
  history: readonly Sample[],
): string {
  const parts = lines.map(({ name, read }) => {
    const values = history.flatMap((sample) => read(sample) ?? []);
    const last = values.at(-1);
    if (last === undefined) return `${name}: no measurement yet`;
    return `${name}: ${format(last)} now, between ${format(Math.min(...values))} and ${format(Math.max(...values))}`;
  });
  return `${title}. ${parts.join('; ')}.`;
}
